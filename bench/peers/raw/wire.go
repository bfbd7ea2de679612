// Frames, and the two requests that a load needs, written by hand in versions without tagged fields: Produce v8, Fetch v11.
package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"
)

const clientID = "raw"

// answerPatience is how long an answer may take before the program gives up.
var answerPatience = 60 * time.Second

// link is one connection with a buffer for the answer that it reads.
type link struct {
	socket net.Conn
	buffer []byte
}

func dial(address string) (*link, error) {
	socket, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		return nil, err
	}
	return &link{socket: socket, buffer: make([]byte, 64<<10)}, nil
}

// read returns the next answer without its length; the bytes hold until the next read.
func (l *link) read() ([]byte, error) {
	if err := l.socket.SetReadDeadline(time.Now().Add(answerPatience)); err != nil {
		return nil, err
	}
	var size [4]byte
	if _, err := io.ReadFull(l.socket, size[:]); err != nil {
		return nil, err
	}
	length := int(binary.BigEndian.Uint32(size[:]))
	if length < 4 || length > 1<<30 {
		return nil, fmt.Errorf("an answer of %d bytes", length)
	}
	if length > len(l.buffer) {
		l.buffer = make([]byte, length)
	}
	_, err := io.ReadFull(l.socket, l.buffer[:length])
	return l.buffer[:length], err
}

// writer appends big-endian values.
type writer struct{ bytes []byte }

func (w *writer) int8(v int8)   { w.bytes = append(w.bytes, byte(v)) }
func (w *writer) int16(v int16) { w.bytes = binary.BigEndian.AppendUint16(w.bytes, uint16(v)) }
func (w *writer) int32(v int32) { w.bytes = binary.BigEndian.AppendUint32(w.bytes, uint32(v)) }
func (w *writer) int64(v int64) { w.bytes = binary.BigEndian.AppendUint64(w.bytes, uint64(v)) }
func (w *writer) string(v string) {
	w.int16(int16(len(v)))
	w.bytes = append(w.bytes, v...)
}

// begin writes the length, which end fills in, and the header of a request.
func (w *writer) begin(key, version int16) {
	w.int32(0)
	w.int16(key)
	w.int16(version)
	w.int32(0)
	w.string(clientID)
}

func (w *writer) end() []byte {
	binary.BigEndian.PutUint32(w.bytes, uint32(len(w.bytes)-4))
	return w.bytes
}

// correlationAt is where the correlation id stands in a frame.
const correlationAt = 8

// reader takes big-endian values from an answer; what is cut short becomes an error at the end.
type reader struct {
	bytes []byte
	at    int
	short bool
}

func (r *reader) take(count int) []byte {
	if count < 0 || r.at+count > len(r.bytes) {
		r.short = true
		return make([]byte, 8)
	}
	r.at += count
	return r.bytes[r.at-count : r.at]
}
func (r *reader) int16() int16 { return int16(binary.BigEndian.Uint16(r.take(2))) }
func (r *reader) int32() int32 { return int32(binary.BigEndian.Uint32(r.take(4))) }
func (r *reader) int64() int64 { return int64(binary.BigEndian.Uint64(r.take(8))) }
func (r *reader) string() {
	if length := r.int16(); length > 0 {
		r.take(int(length))
	}
}

// produceFrame is a Produce request that can be sent again and again for other partitions.
type produceFrame struct {
	bytes []byte
	// Where the numbers of the partitions stand, and their batches begin.
	partitionsAt []int
	batchesAt    []int
	batch        *batch
}

func newProduceFrame(topic string, acks int16, perRequest int, b *batch) *produceFrame {
	w := &writer{}
	w.begin(0, 8)
	w.int16(-1)
	w.int16(acks)
	w.int32(30000)
	w.int32(1)
	w.string(topic)
	w.int32(int32(perRequest))
	frame := &produceFrame{batch: b}
	for i := 0; i < perRequest; i++ {
		frame.partitionsAt = append(frame.partitionsAt, len(w.bytes))
		w.int32(0)
		w.int32(int32(len(b.bytes)))
		frame.batchesAt = append(frame.batchesAt, len(w.bytes))
		w.bytes = append(w.bytes, b.bytes...)
	}
	frame.bytes = w.end()
	return frame
}

// address makes the frame one for the partitions from first on, modulo their count.
func (f *produceFrame) address(correlation int32, first, count int) {
	binary.BigEndian.PutUint32(f.bytes[correlationAt:], uint32(correlation))
	for i, at := range f.partitionsAt {
		binary.BigEndian.PutUint32(f.bytes[at:], uint32((first+i)%count))
	}
}

// checkProduced is nil when every partition of the answer took its batch.
func checkProduced(answer []byte, correlation int32) error {
	r := &reader{bytes: answer}
	if got := r.int32(); got != correlation {
		return fmt.Errorf("answer %d to request %d", got, correlation)
	}
	for topics := r.int32(); topics > 0; topics-- {
		r.string()
		for partitions := r.int32(); partitions > 0; partitions-- {
			partition, code := r.int32(), r.int16()
			if code != 0 {
				return fmt.Errorf("partition %d was refused with error %d", partition, code)
			}
			r.take(24)
			for errors := r.int32(); errors > 0; errors-- {
				r.take(4)
				r.string()
			}
			r.string()
		}
	}
	if r.short {
		return fmt.Errorf("a Produce answer of %d bytes is cut short", len(answer))
	}
	return nil
}

// fetchRequest asks for one partition, outside any fetch session.
type fetchRequest struct {
	topic               string
	partition           int32
	offset              int64
	maxBytes            int32
	maxWaitMs, minBytes int32
}

func (f fetchRequest) frame(correlation int32) []byte {
	w := &writer{bytes: make([]byte, 0, 128)}
	w.begin(1, 11)
	w.int32(-1)
	w.int32(f.maxWaitMs)
	w.int32(f.minBytes)
	w.int32(f.maxBytes)
	w.int8(0)
	w.int32(0)
	w.int32(-1)
	w.int32(1)
	w.string(f.topic)
	w.int32(1)
	w.int32(f.partition)
	w.int32(-1)
	w.int64(f.offset)
	w.int64(-1)
	w.int32(f.maxBytes)
	w.int32(0)
	w.string("")
	frame := w.end()
	binary.BigEndian.PutUint32(frame[correlationAt:], uint32(correlation))
	return frame
}

// fetched is what an answer held.
type fetched struct {
	highWatermark int64
	records       []byte
}

func readFetched(answer []byte, correlation int32) (fetched, error) {
	r := &reader{bytes: answer}
	if got := r.int32(); got != correlation {
		return fetched{}, fmt.Errorf("answer %d to request %d", got, correlation)
	}
	r.int32()
	if code := r.int16(); code != 0 {
		return fetched{}, fmt.Errorf("fetch was refused with error %d", code)
	}
	r.int32()
	if topics := r.int32(); topics != 1 {
		return fetched{}, fmt.Errorf("an answer about %d topics", topics)
	}
	r.string()
	if partitions := r.int32(); partitions != 1 {
		return fetched{}, fmt.Errorf("an answer about %d partitions", partitions)
	}
	partition, code := r.int32(), r.int16()
	if code != 0 {
		return fetched{}, fmt.Errorf("fetch of partition %d was refused with error %d", partition, code)
	}
	highWatermark := r.int64()
	r.take(16)
	if aborted := r.int32(); aborted > 0 {
		r.take(int(aborted) * 16)
	}
	r.int32()
	var records []byte
	if length := r.int32(); length > 0 {
		records = r.take(int(length))
	}
	if r.short {
		return fetched{}, fmt.Errorf("a Fetch answer of %d bytes is cut short", len(answer))
	}
	return fetched{highWatermark, records}, nil
}

// fetch sends one request and waits for its answer.
func (l *link) fetch(request fetchRequest, correlation int32) (fetched, error) {
	if _, err := l.socket.Write(request.frame(correlation)); err != nil {
		return fetched{}, err
	}
	answer, err := l.read()
	if err != nil {
		return fetched{}, err
	}
	return readFetched(answer, correlation)
}
