package fault

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"sync/atomic"
)

// Liar stands before a D-TA's handler and, while it lies, puts another point in
// the place of every share that the D-TA issues. The proofs stay, so that who
// checks them finds out.
type Liar struct {
	next http.Handler
	// point is the false share in hex: any point of the group.
	point string
	lies  atomic.Bool
}

// NewLiar makes one that does not lie yet.
func NewLiar(next http.Handler, point string) *Liar { return &Liar{next: next, point: point} }

// ServeHTTP answers as the D-TA does, or nearly so.
func (l *Liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !l.lies.Load() {
		l.next.ServeHTTP(w, r)
		return
	}
	answer := &recorded{header: http.Header{}, status: http.StatusOK}
	l.next.ServeHTTP(answer, r)
	body := answer.body.Bytes()
	var v map[string]any
	if json.Unmarshal(body, &v) == nil {
		l.forge(v)
		if b, err := json.Marshal(v); err == nil {
			body = b
		}
	}
	for k, values := range answer.header {
		w.Header()[k] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(answer.status)
	_, _ = w.Write(body)
}

// forge changes the shares in an answer: in clientSecret, timePermit and
// timePermits, and as they are listed with proofs.
func (l *Liar) forge(v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			switch name {
			case "clientSecret", "timePermit", "share":
				if _, ok := inner.(string); ok {
					v[name] = l.point
					continue
				}
			case "timePermits":
				if byDay, ok := inner.(map[string]any); ok {
					for day := range byDay {
						byDay[day] = l.point
					}
					continue
				}
			}
			l.forge(inner)
		}
	case []any:
		for _, inner := range v {
			l.forge(inner)
		}
	}
}

// Lie has a D-TA lie, and stop.
func Lie(l *Liar) Fault {
	return both{
		func(context.Context) error { l.lies.Store(true); return nil },
		func(context.Context) error { l.lies.Store(false); return nil },
	}
}

// recorded keeps an answer.
type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorded) Header() http.Header         { return r.header }
func (r *recorded) WriteHeader(status int)      { r.status = status }
func (r *recorded) Write(b []byte) (int, error) { return r.body.Write(b) }
