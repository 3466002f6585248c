package result

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"mpinlab/bench"
)

// The units beside ns/op.
const (
	UnitP95           = "p95-ns/op"
	UnitP99           = "p99-ns/op"
	UnitServer        = "server-cpu-ns/op"
	UnitClient        = "client-cpu-ns/op"
	UnitVerify        = "verify-ns/op"
	UnitVerifications = "verifications/op"
	UnitCryptography  = "cryptography-%"
)

// WriteBench writes the rows of a run in the Go benchmark format:
//
//	BenchmarkLogin/phase=pass1/transport=http/suite=rfc9380/curve=bls12-381/backend=gnark-2 …
//	BenchmarkLoginCPU/verifier=batching/suite=rfc9380/curve=bls12-381/backend=gnark-2 …
//
// The first have medians in ns/op; the second a line a round, with elapsed time
// in ns/op.
func WriteBench(w io.Writer, r *Run, environment []bench.Setting) error {
	out := bufio.NewWriter(w)
	for _, s := range environment {
		fmt.Fprintf(out, "%s: %s\n", s.Key, s.Value)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(out, "# note: %s\n", strings.Join(strings.Fields(note), " "))
	}
	for _, u := range []string{UnitP95, UnitP99, UnitServer, UnitClient, UnitVerify, UnitVerifications} {
		fmt.Fprintf(out, "Unit %s better=lower\n", u)
	}
	fmt.Fprintf(out, "Unit %s better=higher\n", UnitCryptography)
	for _, d := range r.Deployments {
		where := d.where() + "-" + strconv.Itoa(r.CPUs)
		for _, l := range d.Latencies {
			fmt.Fprintf(out, "BenchmarkLogin/phase=%s/transport=%s/%s %d %.0f ns/op %.0f %s %.0f %s\n",
				l.Phase, l.Transport, where, l.Count, 1e3*l.Median, 1e3*l.P95, UnitP95, 1e3*l.P99, UnitP99)
		}
		for _, c := range d.Costs {
			for _, s := range c.Samples {
				fmt.Fprintf(out, "BenchmarkLoginCPU/verifier=%s/clients=%d/%s %d %.0f ns/op %.0f %s %.0f %s %.0f %s %.4f %s",
					c.Verifier, c.Clients, where, s.Logins, 1e3*s.Elapsed/float64(s.Logins), 1e3*s.Server, UnitServer, 1e3*s.Client, UnitClient,
					1e3*s.Verify, UnitVerify, s.Server/s.Verify, UnitVerifications)
				if c.Parts != nil {
					fmt.Fprintf(out, " %.1f %s", 100*c.Parts[Cryptography], UnitCryptography)
				}
				out.WriteString("\n")
			}
		}
	}
	return out.Flush()
}

// where is the sub-names of a deployment.
func (d *Deployment) where() string {
	dialect, curve, _ := strings.Cut(d.Suite, "/")
	library, _, _ := strings.Cut(d.Backend, "/")
	return "suite=" + dialect + "/curve=" + curve + "/backend=" + library
}

// WriteCSV writes one line a phase and one a way of verifying, times in µs. A
// cell without a value is empty.
func WriteCSV(w io.Writer, r *Run) error {
	out := csv.NewWriter(w)
	head := []string{"suite", "backend", "what", "transport", "phase", "verifier", "clients", "count", "median_us", "p95_us", "p99_us",
		"server_cpu_us", "client_cpu_us", "verify_us", "verifications", "logins_per_core", "logins_per_second", "batch"}
	for _, p := range Parts() {
		head = append(head, p+"_share")
	}
	out.Write(head)
	number := func(v float64) string {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return ""
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	rounded := func(v float64) string { return number(math.Round(1e3*v) / 1e3) }
	for _, d := range r.Deployments {
		for _, l := range d.Latencies {
			line := []string{d.Suite, d.Backend, "latency", l.Transport, l.Phase, Single, "1", strconv.Itoa(l.Count),
				rounded(l.Median), rounded(l.P95), rounded(l.P99)}
			out.Write(append(line, make([]string, len(head)-len(line))...))
		}
		for _, c := range d.Costs {
			logins := 0
			for _, s := range c.Samples {
				logins += s.Logins
			}
			line := []string{d.Suite, d.Backend, "cpu", HTTP, Whole, c.Verifier, strconv.Itoa(c.Clients), strconv.Itoa(logins), "", "", "",
				rounded(c.Server()), rounded(c.Client()), rounded(c.Verify()), rounded(c.Verifications()), rounded(c.PerCore()), rounded(c.Rate()), rounded(c.Batch())}
			for _, p := range Parts() {
				cell := ""
				if c.Parts != nil {
					cell = rounded(c.Parts[p])
				}
				line = append(line, cell)
			}
			out.Write(line)
		}
	}
	out.Flush()
	return out.Error()
}
