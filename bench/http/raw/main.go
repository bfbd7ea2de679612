// Load on an HTTP door that costs little itself: requests made beforehand on raw sockets, answers only scanned.
//
//	http-load post -addr HOST:PORT -path PATH -type MEDIA -body FILE -connections N -seconds S -expect TEXT -count N
//	http-load sse  -addr HOST:PORT -tail PATH -produce PATH -tails N -events N
//
// Prints one line of JSON. Any answer that is not a 200 with the expected text ends it with a sentence and code 1.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fail("say post or sse")
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	var load load
	flags.StringVar(&load.address, "addr", "", "host and port")
	flags.DurationVar(&load.patience, "patience", 30*time.Second, "the longest wait for one answer")
	switch os.Args[1] {
	case "post":
		post := postLoad{load: &load}
		flags.StringVar(&post.method, "method", "POST", "GET or POST")
		flags.StringVar(&post.path, "path", "/", "path and query")
		flags.StringVar(&post.media, "type", "application/json", "content type")
		flags.StringVar(&post.bodyFile, "body", "", "file that holds the body")
		flags.StringVar(&post.expect, "expect", "", "text that every answer holds")
		flags.IntVar(&post.count, "count", 1, "how often it holds it")
		flags.IntVar(&post.connections, "connections", 16, "connections, one request in flight on each")
		flags.Float64Var(&post.seconds, "seconds", 5, "how long")
		parse(flags)
		post.run()
	case "sse":
		sse := sseLoad{load: &load}
		flags.StringVar(&sse.tailPath, "tail", "/", "path and query of a tail")
		flags.StringVar(&sse.producePath, "produce", "/", "path and query of a produce")
		flags.IntVar(&sse.tails, "tails", 1000, "tails")
		flags.IntVar(&sse.events, "events", 200, "records, one at a time")
		flags.IntVar(&sse.warmup, "warmup", 20, "records before these")
		flags.DurationVar(&sse.pause, "pause", 20*time.Millisecond, "pause between two records")
		parse(flags)
		sse.run()
	default:
		fail("say post or sse")
	}
}

// What both loads have.
type load struct {
	address  string
	patience time.Duration
}

func parse(flags *flag.FlagSet) {
	if err := flags.Parse(os.Args[2:]); err != nil {
		fail(err.Error())
	}
}

func requestBytes(method, address, path, media, accept string, body []byte) []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\nhost: %s\r\n", method, path, address)
	if accept != "" {
		fmt.Fprintf(&text, "accept: %s\r\n", accept)
	}
	if method == "POST" {
		fmt.Fprintf(&text, "content-type: %s\r\ncontent-length: %d\r\n", media, len(body))
	}
	text.WriteString("\r\n")
	text.Write(body)
	return text.Bytes()
}

// The value below which a share of the sorted times lies, in microseconds.
func quantile(sorted []time.Duration, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	at := int(share * float64(len(sorted)))
	if at >= len(sorted) {
		at = len(sorted) - 1
	}
	return float64(sorted[at].Nanoseconds()) / 1000
}

func sortTimes(times []time.Duration) {
	sort.Slice(times, func(i, j int) bool { return times[i] < times[j] })
}

func report(values map[string]float64) {
	text, err := json.Marshal(values)
	if err != nil {
		fail(err.Error())
	}
	fmt.Println(string(text))
}

func fail(sentence string) {
	fmt.Fprintln(os.Stderr, sentence)
	os.Exit(1)
}
