package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far long work has come: a bar on a terminal, a line every
// few seconds in a log.
type progress struct {
	w    io.Writer
	what string
	bar  *progressbar.ProgressBar
	said time.Time
}

func newProgress(w io.Writer, what string) *progress {
	p := &progress{w: w, what: what, said: time.Now()}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions(1,
			progressbar.OptionSetWriter(w),
			progressbar.OptionSetDescription(what),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionFullWidth(),
			progressbar.OptionClearOnFinish())
	}
	return p
}

// logInterval is the time between two lines of progress in a log.
const logInterval = 10 * time.Second

// update tells that done of total steps are over; label says which was last.
func (p *progress) update(done, total int, label string) {
	if p.bar != nil {
		p.bar.ChangeMax(total)
		p.bar.Describe(fmt.Sprintf("%s  %-.40s", p.what, label))
		_ = p.bar.Set(done)
		return
	}
	if now := time.Now(); now.Sub(p.said) >= logInterval {
		p.said = now
		fmt.Fprintf(p.w, "%s: %d of %d (%s)\n", p.what, done, total, label)
	}
}

// finish removes the bar.
func (p *progress) finish() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
