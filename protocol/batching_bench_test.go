package protocol_test

import (
	"context"
	"fmt"
	"math/rand"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"mpinlab/protocol"
)

// BenchmarkBatchingVerifier keeps a verifier saturated with as many clients as
// it says, each of which begins its next login as soon as the last is
// answered, and reports throughput and the times that logins take.
func BenchmarkBatchingVerifier(b *testing.B) {
	v, good, bad := batchWorld(b, "gnark/bls12-381", 1024)
	for _, clients := range []int{1, 2, 16, 64, 512, 2048} {
		for _, percent := range []int{0, 1, 5, 10, 20, 50, 100} {
			b.Run(fmt.Sprintf("clients=%d/bad=%d", clients, percent), func(b *testing.B) {
				bv := protocol.NewBatchingVerifier(v, protocol.BatchingOptions{})
				defer bv.Close()
				latencies := make([][]time.Duration, clients)
				var wg sync.WaitGroup
				b.ResetTimer()
				for c := range clients {
					wg.Go(func() {
						rng := rand.New(rand.NewSource(int64(c)))
						for i := c; i < b.N; i += clients {
							s, wrong := good[i%len(good)], rng.Intn(100) < percent
							if wrong {
								s = bad[i%len(bad)]
							}
							start := time.Now()
							if err := bv.Verify(context.Background(), s.Identity, s.Transcript); (err != nil) != wrong {
								b.Error(err)
							}
							latencies[c] = append(latencies[c], time.Since(start))
						}
					})
				}
				wg.Wait()
				b.StopTimer()
				report(b, slices.Concat(latencies...))
				b.ReportMetric(float64(bv.Stats().Verified)/float64(bv.Stats().Batches), "logins/batch")
			})
		}
	}
}

// BenchmarkBatchingOpen lets logins arrive at random at a given rate, in
// percent of what the CPUs could verify one by one, with several delays.
func BenchmarkBatchingOpen(b *testing.B) {
	v, good, _ := batchWorld(b, "gnark/bls12-381", 1024)
	for _, percent := range []int{30, 90, 200} {
		for _, delay := range []time.Duration{0, time.Millisecond, 5 * time.Millisecond} {
			b.Run(fmt.Sprintf("load=%d/delay=%v", percent, delay), func(b *testing.B) {
				bv := protocol.NewBatchingVerifier(v, protocol.BatchingOptions{Delay: delay})
				defer bv.Close()
				rng := rand.New(rand.NewSource(1))
				mean := 800e3 / float64(runtime.GOMAXPROCS(0)) / float64(percent) * 100
				latencies := make([]time.Duration, b.N)
				var wg sync.WaitGroup
				b.ResetTimer()
				due := time.Now()
				for i := range b.N {
					due = due.Add(time.Duration(rng.ExpFloat64() * mean))
					time.Sleep(time.Until(due))
					intended := due
					wg.Go(func() {
						s := good[i%len(good)]
						if err := bv.Verify(context.Background(), s.Identity, s.Transcript); err != nil {
							b.Error(err)
						}
						latencies[i] = time.Since(intended)
					})
				}
				wg.Wait()
				b.StopTimer()
				report(b, latencies)
				b.ReportMetric(float64(bv.Stats().Verified)/float64(bv.Stats().Batches), "logins/batch")
			})
		}
	}
}

func report(b *testing.B, latencies []time.Duration) {
	slices.Sort(latencies)
	at := func(q float64) float64 { return float64(latencies[int(q*float64(len(latencies)-1))].Microseconds()) }
	b.ReportMetric(at(0.5), "p50-us")
	b.ReportMetric(at(0.99), "p99-us")
}
