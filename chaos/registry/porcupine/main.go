// Command porcupine reads histories of the registry as JSON from standard input and tells of each whether it is
// linearizable: ["ok", "illegal", "unknown"]. Their form is that of test/registry/races/history.ts.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/anishathalye/porcupine"
)

type request struct {
	Type     string `json:"type"`
	Expected int    `json:"expected"`
	Version  int    `json:"version"`
}

type answer struct {
	Type       string `json:"type"`
	Generation int    `json:"generation"`
	Version    int    `json:"version"` // 0 for null: nothing serves
}

type operation struct {
	Client   int     `json:"client"`
	Called   int64   `json:"called"`
	Returned int64   `json:"returned"`
	Request  request `json:"request"`
	Answer   answer  `json:"answer"`
}

// The register: an environment's generation, and the version that serves in it.
type state struct {
	generation, version int
}

func step(from, input, output interface{}) (bool, interface{}) {
	now, asked, told := from.(state), input.(request), output.(answer)
	matches := now.generation == asked.Expected
	next := state{now.generation + 1, asked.Version}
	if asked.Type == "status" {
		return told.Type == "unknown" ||
			told.Type == "read" && now == state{told.Generation, told.Version}, now
	}
	switch told.Type {
	case "won":
		return matches && told.Generation == next.generation, next
	case "refused":
		return !matches && told.Generation == now.generation, now
	case "nothing":
		return matches && told.Generation == now.generation && now.version == asked.Version, now
	case "unknown":
		// It has no return, so an order may put it last, where nobody sees whether it was done.
		if matches {
			return true, next
		}
		return true, now
	}
	return false, now
}

var register = porcupine.Model{
	Init: func() interface{} { return state{} },
	Step: step,
	// Orders that differ only in readings reach the same state: found by its hash, they are gone into once.
	Hash: func(one interface{}) uint64 {
		at := one.(state)
		return uint64(at.generation)<<32 | uint64(uint32(at.version))
	},
}

var names = map[porcupine.CheckResult]string{
	porcupine.Ok:      "ok",
	porcupine.Illegal: "illegal",
	porcupine.Unknown: "unknown",
}

func check(history []operation, limit time.Duration) string {
	operations := make([]porcupine.Operation, len(history))
	for index, one := range history {
		returned := one.Returned
		if one.Answer.Type == "unknown" {
			returned = math.MaxInt64
		}
		operations[index] = porcupine.Operation{
			ClientId: one.Client,
			Input:    one.Request,
			Call:     one.Called,
			Output:   one.Answer,
			Return:   returned,
		}
	}
	return names[porcupine.CheckOperationsTimeout(register, operations, limit)]
}

func main() {
	seconds := flag.Float64("seconds", 60, "how long one history may take")
	flag.Parse()
	var histories [][]operation
	if err := json.NewDecoder(os.Stdin).Decode(&histories); err != nil {
		fmt.Fprintln(os.Stderr, "porcupine:", err)
		os.Exit(2)
	}
	results := make([]string, len(histories))
	for index, history := range histories {
		results[index] = check(history, time.Duration(*seconds*float64(time.Second)))
	}
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		fmt.Fprintln(os.Stderr, "porcupine:", err)
		os.Exit(2)
	}
}
