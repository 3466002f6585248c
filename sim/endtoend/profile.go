package endtoend

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"mpinlab/sim/endtoend/result"
)

// batched is the counters of a batching verifier; zero without one.
type batched struct{ logins, batches float64 }

// batches reads them from the RPS's metrics.
func (t *target) batches(ctx context.Context) (b batched, err error) {
	text, err := t.get(ctx, t.Addresses().RPSPrivate+"/metrics", 4<<20)
	if err != nil {
		return b, err
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch name {
		case "mpin_batches":
			b.batches, err = strconv.ParseFloat(value, 64)
		case "mpin_batched_logins":
			b.logins, err = strconv.ParseFloat(value, 64)
		}
		if err != nil {
			return b, fmt.Errorf("metrics: %w", err)
		}
	}
	return b, nil
}

func (t *target) get(ctx context.Context, url string, limit int64) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	a, err := t.crowd.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer a.Body.Close()
	if a.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", a.StatusCode)
	}
	return io.ReadAll(io.LimitReader(a.Body, limit))
}

// profile has the servers profile themselves while the crowd logs in, and
// returns the shares of the profile's parts, nil if there were too few samples, and the
// seconds on CPUs that it saw.
func (t *target) profile(ctx context.Context, d time.Duration) (map[string]float64, float64, error) {
	type answer struct {
		profile []byte
		err     error
	}
	got := make(chan answer, 1)
	go func() {
		url := fmt.Sprintf("%s/debug/pprof/profile?seconds=%d", t.Addresses().RPSPrivate, max(1, int(d/time.Second)))
		b, err := t.get(ctx, url, 64<<20)
		got <- answer{b, err}
	}()
	for {
		// As many as all users have under way at a time, so that it ends soon
		// after the profile.
		if _, err := t.crowd.run(ctx, 2*len(t.crowd.users)); err != nil {
			return nil, 0, err
		}
		select {
		case a := <-got:
			if a.err != nil {
				return nil, 0, fmt.Errorf("profile: %w", a.err)
			}
			return parts(a.profile)
		default:
		}
	}
}

// rules tell by the start of a function's name to which part a sample belongs
// that has it on its stack; the order is result.Parts's.
var rules = []struct {
	part     string
	prefixes []string
}{
	{result.Cryptography, []string{"mpinlab/protocol", "mpinlab/backends", "github.com/consensys/gnark-crypto", "github.com/supranational/blst",
		"github.com/cloudflare/circl", "github.com/kilic", "github.com/hyperledger/fabric-amcl"}},
	{result.Store, []string{"mpinlab/sim/store", "go.etcd.io/bbolt", "github.com/redis"}},
	{result.JSON, []string{"github.com/go-json-experiment", "encoding/json"}},
	{result.Collector, []string{"runtime.gcBgMarkWorker", "runtime.gcAssistAlloc", "runtime.bgsweep", "runtime.bgscavenge", "runtime.gcStart"}},
	{result.Net, []string{"net/http", "net.", "internal/poll", "bufio."}},
}

// least is the time on CPUs, in ns, from which shares are told: 50 samples.
const least = 5e8

// parts adds up the samples of a CPU profile by part; nil for too few.
func parts(compressed []byte) (map[string]float64, float64, error) {
	p, err := readProfile(compressed)
	if err != nil {
		return nil, 0, err
	}
	times := map[string]float64{}
	total := 0.0
	for _, s := range p.samples {
		part := result.Other
	search:
		for _, rule := range rules {
			for _, location := range s.locations {
				for _, name := range p.functions[location] {
					for _, prefix := range rule.prefixes {
						if strings.HasPrefix(name, prefix) {
							part = rule.part
							break search
						}
					}
				}
			}
		}
		times[part] += float64(s.value)
		total += float64(s.value)
	}
	if len(times) == 0 || total < least {
		return nil, total / 1e9, nil // a busy machine's timers do not always come
	}
	shares := map[string]float64{}
	for _, part := range result.Parts() {
		shares[part] = times[part] / total
	}
	return shares, total / 1e9, nil
}

// profile is what is needed of a CPU profile.
type profile struct {
	samples   []profileSample
	functions map[uint64][]string // names by location
}

type profileSample struct {
	locations []uint64
	value     int64 // ns
}

var errProfile = errors.New("not a CPU profile")

// maxProfile bounds a profile in bytes.
const maxProfile = 256 << 20

// readProfile reads the format of github.com/google/pprof/proto/profile.proto,
// of which it takes the last value of each sample, which is CPU time in ns.
func readProfile(compressed []byte) (*profile, error) {
	z, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errProfile, err)
	}
	b, err := io.ReadAll(io.LimitReader(z, maxProfile))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errProfile, err)
	}
	p := &profile{functions: map[uint64][]string{}}
	lines := map[uint64][]uint64{} // functions by location
	names := map[uint64]uint64{}   // strings by function
	var texts []string
	err = fields(b, func(number protowire.Number, v uint64, b []byte) error {
		switch number {
		case 2: // sample
			var s profileSample
			err := fields(b, func(number protowire.Number, v uint64, b []byte) error {
				switch number {
				case 1:
					return packed(v, b, func(v uint64) { s.locations = append(s.locations, v) })
				case 2:
					return packed(v, b, func(v uint64) { s.value = int64(v) })
				}
				return nil
			})
			p.samples = append(p.samples, s)
			return err
		case 4: // location
			var id uint64
			var list []uint64
			err := fields(b, func(number protowire.Number, v uint64, b []byte) error {
				switch number {
				case 1:
					id = v
				case 4: // line
					return fields(b, func(number protowire.Number, v uint64, _ []byte) error {
						if number == 1 {
							list = append(list, v)
						}
						return nil
					})
				}
				return nil
			})
			lines[id] = list
			return err
		case 5: // function
			var id, name uint64
			err := fields(b, func(number protowire.Number, v uint64, _ []byte) error {
				switch number {
				case 1:
					id = v
				case 2:
					name = v
				}
				return nil
			})
			names[id] = name
			return err
		case 6: // string
			texts = append(texts, string(b))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for location, functions := range lines {
		for _, f := range functions {
			if k := names[f]; k < uint64(len(texts)) {
				p.functions[location] = append(p.functions[location], texts[k])
			}
		}
	}
	return p, nil
}

// fields calls f for every field of a message: v of a number, b of bytes.
func fields(message []byte, f func(number protowire.Number, v uint64, b []byte) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return fmt.Errorf("%w: %w", errProfile, protowire.ParseError(n))
		}
		message = message[n:]
		var v uint64
		var b []byte
		switch kind {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			b, n = protowire.ConsumeBytes(message)
		default:
			n = protowire.ConsumeFieldValue(number, kind, message)
		}
		if n < 0 {
			return fmt.Errorf("%w: %w", errProfile, protowire.ParseError(n))
		}
		message = message[n:]
		if err := f(number, v, b); err != nil {
			return err
		}
	}
	return nil
}

// packed calls f for each number of a repeated field, packed or not.
func packed(v uint64, b []byte, f func(uint64)) error {
	if b == nil {
		f(v)
		return nil
	}
	for len(b) > 0 {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return fmt.Errorf("%w: %w", errProfile, protowire.ParseError(n))
		}
		f(v)
		b = b[n:]
	}
	return nil
}
