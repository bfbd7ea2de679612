// A load for a broker that speaks Kafka's protocol, lean enough that the broker is the limit: `raw MODE FLAGS`. Prints one line of JSON.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
)

const usage = "raw produce|fetch|latency|mixed FLAGS; raw MODE -help lists them"

func main() {
	if len(os.Args) < 2 {
		fail(errors.New(usage))
	}
	mode, set := os.Args[1], flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	patience := set.Duration("patience", answerPatience, "the longest wait for an answer")
	var produce produceLoad
	var fetch fetchLoad
	mixed := mixedLoad{}
	warmup := 0
	run := func() (result, error) { return runProduce(produce) }
	switch mode {
	case "produce":
		produce.flags(set)
	case "fetch":
		fetch.flags(set)
		run = func() (result, error) { return runFetch(fetch) }
	case "latency":
		produce.flags(set)
		set.IntVar(&warmup, "warmup", 500, "records before those that count")
		run = func() (result, error) { return runLatency(produce, warmup) }
	case "mixed":
		produce.flags(set)
		set.IntVar(&mixed.tails, "tails", 0, "readers of what is being produced")
		set.IntVar(&mixed.catchups, "catchups", 0, "readers of old records")
		set.StringVar(&mixed.oldTopic, "old-topic", "old", "topic of the old records, read from partition 0")
		set.IntVar(&mixed.maxBytes, "max-bytes", 1<<20, "bytes of an answer to a reader")
		run = func() (result, error) {
			mixed.produce = produce
			return runMixed(mixed)
		}
	default:
		fail(errors.New(usage))
	}
	if err := set.Parse(os.Args[2:]); err != nil {
		fail(err)
	}
	answerPatience = max(*patience, time.Second)
	sums, err := run()
	if err == nil {
		err = sums.print()
	}
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
