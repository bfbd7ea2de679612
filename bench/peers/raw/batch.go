// Record batches, encoded once: format 2, no compression, no producer id.
package main

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand"
	"time"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const headerBytes = 61

// batch is an encoded batch; its first record's value begins with a stamp of 8 bytes when it is long enough.
type batch struct {
	bytes   []byte
	records int
	stampAt int
}

// newBatch makes a batch of as many records as fit into batchBytes, at least one, with values of random letters.
func newBatch(recordBytes, batchBytes int) *batch {
	chance := rand.New(rand.NewSource(1))
	one := appendRecord(nil, 0, make([]byte, recordBytes))
	count := (batchBytes - headerBytes) / (len(one) + 1)
	if count < 1 {
		count = 1
	}
	body := make([]byte, 0, batchBytes)
	stampAt := headerBytes + len(one) - 1 - recordBytes
	for i := 0; i < count; i++ {
		value := make([]byte, recordBytes)
		for at := range value {
			value[at] = byte('A' + chance.Intn(26))
		}
		body = appendRecord(body, i, value)
	}
	header := make([]byte, headerBytes)
	put := binary.BigEndian
	put.PutUint32(header[8:], uint32(headerBytes-12+len(body)))
	put.PutUint32(header[12:], 0xffffffff)
	header[16] = 2
	put.PutUint32(header[23:], uint32(count-1))
	now := uint64(time.Now().UnixMilli())
	put.PutUint64(header[27:], now)
	put.PutUint64(header[35:], now)
	put.PutUint64(header[43:], 0xffffffffffffffff)
	put.PutUint16(header[51:], 0xffff)
	put.PutUint32(header[53:], 0xffffffff)
	put.PutUint32(header[57:], uint32(count))
	made := &batch{bytes: append(header, body...), records: count, stampAt: stampAt}
	seal(made.bytes)
	return made
}

// appendRecord adds a record without key and headers.
func appendRecord(to []byte, delta int, value []byte) []byte {
	body := []byte{0, 0}
	body = binary.AppendVarint(body, int64(delta))
	body = binary.AppendVarint(body, -1)
	body = binary.AppendVarint(body, int64(len(value)))
	body = append(body, value...)
	body = append(body, 0)
	to = binary.AppendVarint(to, int64(len(body)))
	return append(to, body...)
}

// seal computes the CRC of an encoded batch.
func seal(bytes []byte) {
	binary.BigEndian.PutUint32(bytes[17:], crc32.Checksum(bytes[21:], castagnoli))
}

// stamp writes a moment into the first record, for who reads it to say how old it is.
func stamp(bytes []byte, stampAt int, nanos int64) {
	binary.BigEndian.PutUint64(bytes[stampAt:], uint64(nanos))
	seal(bytes)
}

// walk calls each for every whole batch, with the number of its records; it returns the offset after the last one.
func walk(records []byte, next int64, check bool, each func(batch []byte, count int)) (int64, error) {
	for len(records) >= headerBytes {
		size := 12 + int(binary.BigEndian.Uint32(records[8:]))
		if size > len(records) {
			break
		}
		one := records[:size]
		if check && crc32.Checksum(one[21:], castagnoli) != binary.BigEndian.Uint32(one[17:]) {
			return next, fmt.Errorf("the CRC of the batch behind offset %d is wrong", next)
		}
		base := int64(binary.BigEndian.Uint64(one))
		if base > next {
			return next, fmt.Errorf("a batch at offset %d, where %d was expected", base, next)
		}
		next = base + int64(binary.BigEndian.Uint32(one[23:])) + 1
		each(one, int(binary.BigEndian.Uint32(one[57:])))
		records = records[size:]
	}
	return next, nil
}
