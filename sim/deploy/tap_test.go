package deploy

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
)

// tap records what goes through the handlers of nodes in this process, and may
// change it.
type tap struct {
	mu   sync.Mutex
	seen []record
	// change, if not nil, may change an answer's body.
	change func(node string, r *http.Request, answer []byte) []byte
}

// record is a request and its answer.
type record struct {
	node, method, uri, body string
	header                  http.Header
	status                  int
	answer                  string
}

func (p *tap) wrap(node string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" || strings.HasPrefix(r.URL.Path, "/rps/") && node == "rpa" {
			h.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			http.Error(w, "unreadable", http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		answer := rec.Body.Bytes()
		p.mu.Lock()
		change := p.change
		p.seen = append(p.seen, record{node, r.Method, r.URL.RequestURI(), string(body), r.Header.Clone(), rec.Code, string(answer)})
		p.mu.Unlock()
		if change != nil {
			answer = change(node, r, answer)
		}
		for k, v := range rec.Header() {
			if k != "Content-Length" {
				w.Header()[k] = v
			}
		}
		w.WriteHeader(rec.Code)
		w.Write(answer)
	})
}

// all returns what was seen so far.
func (p *tap) all() []record {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]record(nil), p.seen...)
}

func (p *tap) set(change func(string, *http.Request, []byte) []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.change = change
}

// jsonStrings finds the values of a name in JSON text.
func jsonStrings(text, name string) []string {
	var values []string
	for _, m := range regexp.MustCompile(`"`+name+`":"([^"]{8,})"`).FindAllStringSubmatch(text, -1) {
		values = append(values, m[1])
	}
	return values
}
