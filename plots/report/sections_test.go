package report

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"mpinlab/bench"
	"mpinlab/plots/internal/number"
	"mpinlab/sim/capacity"
	"mpinlab/sim/load/result"
)

// madeRun is a load run as one may come out, of so many seconds.
func madeRun(scenario string, seconds int) *result.Run {
	h := result.NewHistogram()
	for i := range int64(1000) {
		_ = h.RecordValue(1000 + 10*i)
	}
	r := &result.Run{
		Scenario: scenario, Title: "A <b>title</b>", Description: "Words.", Seed: 7, Started: time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC), Elapsed: float64(seconds),
		Source:     []byte("name: x\n"),
		Deployment: result.Deployment{Backend: "gnark/bls12-381", Store: "memory", Cores: 2, RPS: 2, Batching: true}, Client: result.Client{Cost: "real"},
		Counts: result.Counts{Intended: 1234, Started: 1230, Late: 5, Dropped: 4, OfferedRate: 41.1, AchievedRate: 40.9,
			Outcomes: map[string]int64{result.Accepted: 1200, result.Refused: 30, result.Dropped: 4}},
		Histograms: result.Histograms{"whole.response": h, "whole.service": h}, Phases: []result.Phase{{Name: result.Whole, Response: result.Summary(h)}},
		Verdicts: result.Verdicts{Checked: 1230, WrongRefusals: 1}, Warnings: []string{"a <warning>"},
		SLOs: []result.SLO{{Name: "p99 of whole ≤ 1 ms", Value: 10.9, Limit: 1, Unit: "ms"}, {Name: "errors ≤ 1 %", Value: 0.003, Limit: 0.01, Unit: "%", Met: true}},
	}
	for s := range seconds {
		r.Timeline = append(r.Timeline, result.Tick{Second: s, Intended: 41, Outcomes: map[string]int64{result.Accepted: 41}, P50: 5, P99: 9, Max: 12})
		r.ServerTimeline = append(r.ServerTimeline, result.ServerTick{Second: s, Node: "rps-1", CPU: 0.5, Memory: 5e7, Goroutines: 50, Files: 20})
	}
	return r
}

func madeSearch() *result.Run {
	r := &result.Run{Scenario: "saturation", Title: "Search", Started: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), Elapsed: 60, Source: []byte("name: saturation\n"),
		Verdicts: result.Verdicts{Checked: 9}}
	for i, label := range []string{"single", "batching"} {
		r.Searches = append(r.Searches, result.Search{Label: label, Batching: i == 1, RPS: 1, Cores: 1, Limit: 100, Knee: 1000 * float64(1+2*i), Probes: []result.Probe{
			{Rate: 500, Achieved: 500, Latency: result.Latency{Count: 9, P99: 20}, Passed: true},
			{Rate: 1000 * float64(1+2*i), Achieved: 1000, Latency: result.Latency{Count: 9, P99: 80}, Passed: true, ServerCPU: 0.98, Batch: 17 * float64(i)},
			{Rate: 5000, Achieved: 2000, Latency: result.Latency{Count: 9, P99: 800}},
		}})
	}
	return r
}

func TestLoadSection(t *testing.T) {
	dir := t.TempDir()
	page := func(in Input) string {
		t.Helper()
		if _, err := Write(dir, in); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(filepath.Join(dir, "index.html"))
		if err != nil {
			t.Fatal(err)
		}
		checkPage(t, string(content))
		return strings.ReplaceAll(string(content), number.Thin, " ")
	}
	in := Input{Load: &Load{Runs: []*result.Run{madeRun("Quick & dirty", 5), madeRun("Quick & dirty", 601), madeSearch()}, Notes: []string{"soak: <no> room"}}}
	text := page(in)
	for _, want := range []string{
		`<a href="#load">Load</a>`, `<section id="load">`, `id="load-quick-dirty"`, `id="load-quick-dirty-2"`, `id="load-runs"`, `id="load-knees"`, `id="load-outcomes"`, `id="load-promises"`,
		`href="load/quick-dirty/index.html"`, `href="load/saturation/run.json"`, `href="load/quick-dirty/histograms.hlog"`, `id="figure-load-quick-dirty-timeline"`,
		`id="figure-load-quick-dirty-2-servers"`, `id="figure-load-saturation-knee"`, "A &lt;b&gt;title&lt;/b&gt;", "a &lt;warning&gt;", "soak: &lt;no&gt; room",
		`<td class="num fail">1 of 1 230</td>`, "1 of 2 missed", "3.00", "17.0", "gnark/bls12-381, in batches, 2 RPS, store memory, 2 cores for the servers, clients real",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	// Servers are for long runs: what they take is to stay as it is.
	if strings.Contains(text, `id="figure-load-quick-dirty-servers"`) {
		t.Error("the servers of a short run are shown")
	}
	for _, name := range regexp.MustCompile(`href="((?:load|tables|figures)/[^"#]+)`).FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join(dir, name[1])); err != nil {
			t.Errorf("dead link: %v", err)
		}
	}
	summary, err := os.ReadFile(filepath.Join(dir, "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`!\[[^\]]*\]\(([^)]+)\)`).FindAllSubmatch(summary, -1) {
		if _, err := os.Stat(filepath.Join(dir, string(name[1]))); err != nil {
			t.Errorf("the summary: %v", err)
		}
	}
	run, err := result.Read(filepath.Join(dir, LoadFolder, "quick-dirty-2"))
	if err != nil || run.Counts.Intended != 1234 || len(run.Timeline) != 601 {
		t.Errorf("read back: %v", err)
	}
	own, err := os.ReadFile(filepath.Join(dir, LoadFolder, "saturation", "index.html"))
	if err != nil || !bytes.Contains(own, []byte(`href="../../index.html"`)) {
		t.Errorf("no way back: %v", err)
	}

	// What an older report wrote goes; what somebody else put there stays.
	if err := WriteLoad(filepath.Join(dir, LoadFolder, "mine"), madeRun("mine", 3), "mpin sim run mine"); err != nil {
		t.Fatal(err)
	}
	if text := page(Input{}); strings.Contains(text, `id="load"`) {
		t.Error("an empty section")
	}
	left, err := filepath.Glob(filepath.Join(dir, LoadFolder, "*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != "mine" {
		t.Errorf("left: %v, %v", left, err)
	}
}

func madeCapacity() *Capacity {
	c := capacity.Compared{Model: 1.1, Real: 1, Low: 0.9, High: 1.1}
	off := capacity.Compared{Model: 3, Real: 2}
	a := &capacity.Answer{Backend: "gnark/bls12-381", Store: "redis", MeanRate: 2315, PeakRate: 9259, PeakAt: 9 * time.Hour, Instances: 11, Spare: 1, CoresPerInstance: 4, Cores: 44, IssuerCores: 7, P50: 10.8, P99: 47.1}
	b := *a
	b.Cores = 36
	return &Capacity{
		Validation: &capacity.Validation{Format: capacity.ValidationFormat, Created: time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC), Backend: "gnark/bls12-381", Seconds: 8, Disturbed: 0.2,
			Environment: []capacity.Setting{{Key: "cpu", Value: "A <1>"}}, Bounds: capacity.Targets,
			Modes: []capacity.ValidatedMode{{Saturation: capacity.Compared{Model: 1000, Real: 1100}, CPU: c, Points: []capacity.ValidatedLoad{{Load: 0.3, Rate: 300, P50: c, P99: off}}},
				{Batching: true, Saturation: capacity.Compared{Model: 3000, Real: 3100}, CPU: c, MeanBatch: c, Points: []capacity.ValidatedLoad{{Load: 0.3, Rate: 900, P50: c, P99: c}}}}},
		Plan: &Plan{Command: "mpin capacity plan --users 100M", Users: 1e8, LoginsPerDay: 2, PeakFactor: 4, P99: 100, Headroom: 0.25, Logins: 20000, CPU: "A 1", Answer: a, Limits: []string{"no <internet>"},
			Sensitivity: []capacity.Variation{{What: "verification", Value: "one by one", Asked: true, Answer: a}, {What: "verification", Value: "in batches", Answer: &b}, {What: "permit period", Value: "none", Error: "cannot <be>"}}},
		Notes: []string{"a <note>"},
	}
}

func TestCapacitySection(t *testing.T) {
	page, dir, _ := write(t, Input{Capacity: madeCapacity()})
	checkPage(t, page)
	page = strings.ReplaceAll(page, number.Thin, " ")
	for _, want := range []string{
		`<a href="#capacity">Capacity</a>`, `<section id="capacity">`, `id="figure-capacity-validation"`, `id="figure-capacity-sensitivity"`, `id="capacity-validation"`, `id="capacity-plan"`,
		`id="capacity-sensitivity"`, "off by 50 % at most", "One is missed.", "Others had up to 20 %", `<td class="fail">missed</td>`, "0.900–1.10", "30 % (300/s)", "44 cores for the RPS and 14 cores for the two",
		"in batches instead it would be 36 and 14", "cannot &lt;be&gt;", "no &lt;internet&gt;", "a &lt;note&gt;", "A &lt;1&gt;; 23 November 2026, 20:00 UTC", `href="capacity.json"`, `href="capacity-plan.json"`,
		`href="tables/capacity-validation.csv"`, "20 000 logins were simulated",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if v, err := capacity.ReadValidation(filepath.Join(dir, capacityFile)); err != nil || len(v.Modes) != 2 {
		t.Errorf("read back: %v", err)
	}
	if p, err := ReadPlan(filepath.Join(dir, PlanFile)); err != nil || len(p.Sensitivity) != 3 || p.Answer.Cores != 44 {
		t.Errorf("read back: %v", err)
	}

	// Without a validation the section says how to make one.
	in := Input{Capacity: madeCapacity()}
	in.Capacity.Validation = nil
	if _, err := Write(dir, in); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(dir, "index.html"))
	if err != nil || !bytes.Contains(content, []byte("mpin capacity validate --calibrate -o bench/record/capacity.json")) || bytes.Contains(content, []byte(capacityFile+`"`)) {
		t.Errorf("no word of how to make it: %v", err)
	}
	for _, name := range []string{capacityFile, "figures/capacity-validation.svg"} {
		if _, err := os.Stat(filepath.Join(dir, name)); !os.IsNotExist(err) {
			t.Errorf("an old report's %s: %v", name, err)
		}
	}
	for _, bad := range []string{"", "{}", `{"format":"x"}`, `{"answer":null}`, "[]"} {
		if err := os.WriteFile(filepath.Join(dir, PlanFile), []byte(bad), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadPlan(filepath.Join(dir, PlanFile)); err == nil {
			t.Errorf("%q is a plan", bad)
		}
	}
}

// madePad is what the browser tests may record, with rows that nobody knows.
func madePad(t *testing.T) fstest.MapFS {
	var tall, broad bytes.Buffer
	if err := png.Encode(&tall, image.NewGray(image.Rect(0, 0, 39, 84))); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(&broad, image.NewGray(image.Rect(0, 0, 128, 80))); err != nil {
		t.Fatal(err)
	}
	figures := "goos: linux\nbrowser: Chrome/156\nnonsense\n"
	for range 7 {
		figures += "BenchmarkPinPad/visit=first 1 684000000 ns/op\t1174962 transferred-B/op\t20 requests/op\n"
	}
	figures += "BenchmarkPinPad/crypto=from-the-last-digit/login=later 1 12700000 ns/op\t5 cats/op\nBenchmarkPinPad/login=<unknown> 1 3000000 ns/op\nBenchmarkPinPad/broken 1\n"
	return fstest.MapFS{
		"figures.txt": {Data: []byte(figures)}, "07-pin-pad-phone-light.png": {Data: tall.Bytes()}, "10-other-screen.png": {Data: broad.Bytes()},
	}
}

func TestPINPadSection(t *testing.T) {
	pad := madePad(t)
	page, dir, _ := write(t, Input{PINPad: pad})
	checkPage(t, page)
	page = strings.ReplaceAll(page, number.Thin, " ")
	for _, want := range []string{
		`<a href="#pinpad">PIN pad</a>`, `<section id="pinpad">`, `id="figure-pinpad"`, `id="pinpad-figures"`, `src="data:image/png;base64,iVBOR`, `alt="Screen: the PIN pad on a phone"`, "(b) other screen",
		"Chrome 156", "takes 684 ms to a PIN pad", "One target is missed.", ">at most 1 500<", ">1 175<", "login=&lt;unknown&gt;", "cats", `href="pinpad.txt.html#L4"`, `href="pinpad/10-other-screen.png"`,
		"Which machine, and when, the file does not say",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	raw, err := os.ReadFile(filepath.Join(dir, "pinpad.txt.html"))
	if err != nil || !bytes.Contains(raw, []byte(`id="L4"`)) {
		t.Errorf("no lines: %v", err)
	}
	if _, err := Write(dir, Input{Results: new(bench.Results)}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pinpad.txt", "pinpad.txt.html", "pinpad/10-other-screen.png"} {
		if _, err := os.Stat(filepath.Join(dir, name)); !os.IsNotExist(err) {
			t.Errorf("an old report's %s: %v", name, err)
		}
	}
	pad["07-pin-pad-phone-light.png"] = &fstest.MapFile{Data: []byte("no picture")}
	if _, err := Write(dir, Input{PINPad: pad}); err == nil {
		t.Error("a picture that is none")
	}
	delete(pad, "figures.txt")
	if _, err := Write(dir, Input{PINPad: pad}); err == nil {
		t.Error("figures that are missing")
	}
}
