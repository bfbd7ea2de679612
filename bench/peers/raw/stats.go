// What a run prints: one line of JSON.
package main

import (
	"encoding/json"
	"os"
	"sort"
	"strings"
	"time"
)

// result is that line; what does not apply is left out.
type result map[string]float64

// latencies adds percentiles in microseconds under names that begin with prefix.
func (r result) latencies(prefix string, all ...[]time.Duration) {
	var merged []time.Duration
	for _, some := range all {
		merged = append(merged, some...)
	}
	if len(merged) == 0 {
		return
	}
	sort.Slice(merged, func(i, j int) bool { return merged[i] < merged[j] })
	at := func(share float64) float64 {
		index := int(share * float64(len(merged)))
		if index >= len(merged) {
			index = len(merged) - 1
		}
		return float64(merged[index].Nanoseconds()) / 1e3
	}
	for name, share := range map[string]float64{"P50Us": 0.5, "P99Us": 0.99, "P999Us": 0.999, "MaxUs": 1} {
		if prefix == "" {
			name = strings.ToLower(name[:1]) + name[1:]
		}
		r[prefix+name] = at(share)
	}
}

func (r result) print() error { return json.NewEncoder(os.Stdout).Encode(r) }
