package pinpad_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"mpinlab/bench"
	"mpinlab/sim/deploy"
)

// counter counts what a server sends to browsers, headers as in HTTP/1.1.
type counter struct{ bytes, answers atomic.Int64 }

func (c *counter) wrap(node string, h http.Handler) http.Handler {
	if node != "rpa" { // what a visit loads comes from there; what goes between servers is no transfer
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(&countedWriter{ResponseWriter: w, to: c}, r)
	})
}

type countedWriter struct {
	http.ResponseWriter
	to    *counter
	begun bool
}

func (w *countedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *countedWriter) WriteHeader(status int) {
	if !w.begun {
		w.begun = true
		var b bytes.Buffer
		_ = w.Header().Write(&b)
		w.to.bytes.Add(int64(len("HTTP/1.1 200 OK\r\n") + b.Len() + 2))
		w.to.answers.Add(1)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *countedWriter) Write(b []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	n, err := w.ResponseWriter.Write(b)
	w.to.bytes.Add(int64(n))
	return n, err
}

// The most that a visit may transfer, in bytes.
const (
	maxFirst = 1_200_000
	maxLater = 20_000
)

// figuresVariable names the file that the figures are written to, in Go's
// benchmark format; without it they are logged.
const figuresVariable = "MPIN_BROWSER_FIGURES"

// usable is when a PIN pad or form was on the screen, in ms since the navigation
// began, and the longest task that kept the page from reacting until then.
const usable = `(async () => {
	while (!performance.getEntriesByName("mpin-usable").length) await new Promise((done) => setTimeout(done, 1));
	const tasks = await new Promise((done) => {
		const list = [];
		const watch = new PerformanceObserver((l) => list.push(...l.getEntries()));
		watch.observe({type: "longtask", buffered: true});
		setTimeout(() => { watch.disconnect(); done(list); }, 20);
	});
	return {Usable: performance.getEntriesByName("mpin-usable")[0].startTime, Longest: Math.max(0, ...tasks.map((t) => t.duration)), Tasks: tasks.length,
		Shift: performance.getEntriesByType("layout-shift").reduce((sum, e) => sum + e.value, 0)};
})()`

// TestFigures measures what a visit and a login cost. It fails for bytes only:
// times are for the report, from a machine that does nothing else.
func TestFigures(t *testing.T) {
	needBrowser(t)
	sent := new(counter)
	d := serve(t, deploy.Config{Wrap: sent.wrap})
	base := d.Ready().RPA + "/"
	rounds := 3
	if os.Getenv(figuresVariable) != "" {
		rounds = 10
	}
	var out bytes.Buffer
	fmt.Fprintln(&out, "pkg: mpinlab/sim/pinpad")
	for _, s := range bench.Environment() {
		if slices.Contains([]string{"goos", "goarch", "cpu", "cores", "date", "commit", "modified", "load-before"}, s.Key) {
			fmt.Fprintf(&out, "%s: %s\n", s.Key, s.Value)
		}
	}
	version, err := chromedp.Run(needBrowser(t), chromedp.Evaluate[string](`navigator.userAgent.match(/Chrom[a-z]*\/[0-9]+/)[0]`))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, "browser: %s\n", version)
	all := map[string][]float64{}
	line := func(name string, ms float64, more string) {
		all[name] = append(all[name], ms)
		fmt.Fprintf(&out, "BenchmarkPinPad/%s 1 %.0f ns/op%s\n", name, 1e6*ms, more)
	}

	visit := func(b *tab, name string, most int64) {
		bytes, answers := sent.bytes.Load(), sent.answers.Load()
		b.open(base)
		v := eval[struct {
			Usable, Longest, Shift float64
			Tasks                  int
		}](b, usable)
		bytes, answers = sent.bytes.Load()-bytes, sent.answers.Load()-answers
		if bytes > most || bytes == 0 {
			t.Errorf("%s: %d bytes, more than %d or none", name, bytes, most)
		}
		if v.Shift > 0.01 {
			t.Errorf("%s: the layout shifts by %f", name, v.Shift)
		}
		line(name, v.Usable, fmt.Sprintf("\t%d transferred-B/op\t%d requests/op\t%d longtasks/op\t%.0f longest-task-ns/op", bytes, answers, v.Tasks, 1e6*v.Longest))
	}
	var b *tab
	for range rounds {
		if b != nil {
			if err := chromedp.Cancel(b.ctx); err != nil {
				t.Fatal(err)
			}
		}
		b = newProfile(t, "")
		visit(b, "visit=first", maxFirst)
		b.title("Log in with a PIN")
	}
	b.register("heidi@example.com", "4073")
	for range rounds {
		b.open("about:blank")
		visit(b, "visit=later", maxLater)
		b.title("Enter your PIN")
	}

	// A key, to the frame that shows it.
	for range rounds {
		b.ready()
		eval[bool](b, `(window.keyed = new Promise((done) => addEventListener("keydown", () => {
			const began = performance.now();
			requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
		}, {capture: true, once: true}))) && true`)
		b.key("5")
		line("key", eval[float64](b, `keyed`), "")
		b.key("\b")
	}

	// Logins; the first of the day gets its permit. Nobody types a PIN before the
	// worker has prepared for it, so these do not either. Every other login is on a
	// page that was loaded anew.
	login := func(name string) {
		b.title("Enter your PIN")
		b.ready()
		b.until("a worker that is prepared", `performance.getEntriesByName("mpin-prepared").length`)
		began, before := time.Now(), workerCPU()
		b.pin("4073")
		b.title("You are logged in")
		took := time.Since(began)
		var cpu time.Duration // of the workers that are still there
		for thread, spent := range workerCPU() {
			cpu += spent - before[thread]
		}
		last := func(what string) float64 {
			return eval[float64](b, `performance.getEntriesByName("mpin-login-`+what+`").at(-1).duration`)
		}
		work, crypto, ahead := last("work"), last("crypto"), last("ahead")
		line("login="+name, work, fmt.Sprintf("\t%d worker-cpu-ns/op\t%d whole-ns/op", cpu.Nanoseconds(), took.Nanoseconds()))
		line("crypto=from-the-last-digit/login="+name, crypto, "")
		line("crypto=with-what-was-ahead/login="+name, crypto+ahead, fmt.Sprintf("\t%.0f ahead-ns/op", 1e6*ahead))
		all["login="+name+", CPU"] = append(all["login="+name+", CPU"], float64(cpu.Microseconds())/1000)
		b.press("Log out")
		b.title("Enter your PIN")
	}
	login("first-of-the-day")
	for range rounds {
		login("later")
		b.reload()
		login("new-page")
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		slices.Sort(all[name])
		t.Logf("%s: median %.1f ms of %d", name, all[name][len(all[name])/2], len(all[name]))
	}
	t.Logf("\n%s", out.String())
	if file := os.Getenv(figuresVariable); file != "" {
		if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
