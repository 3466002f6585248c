package load

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/client"
)

// session is a client that one operation uses at a time, so that what it traces
// belongs to that operation. All sessions share one pool of connections.
type session struct {
	*client.Client
	mu    sync.Mutex
	parts phases
}

// stepPhases are the parts that a client's steps belong to.
var stepPhases = map[client.Step]int{
	client.StepTimePermit: inPermit, client.StepPermitStorage: inPermit, client.StepPermitDTA: inPermit,
	client.StepPass1: inPass1, client.StepPass2: inPass2,
	client.StepAuthenticate: inRedeem, client.StepMobileAuthenticate: inRedeem,
	client.StepRegister: inRegister, client.StepSignature: inRegister, client.StepClientSecret: inRegister, client.StepSetupDone: inRegister,
}

func (s *session) trace(e client.Event) {
	if i, ok := stepPhases[e.Step]; ok {
		s.mu.Lock()
		s.parts[i] += e.Duration
		s.mu.Unlock()
	}
}

// take returns the parts since it was last called.
func (s *session) take() phases {
	s.mu.Lock()
	defer s.mu.Unlock()
	parts := s.parts
	s.parts = phases{}
	return parts
}

// sessions hands them out and takes them back.
type sessions struct {
	base string
	opt  client.Options
	mu   sync.Mutex
	free []*session
}

// newSessions opens the first.
func newSessions(ctx context.Context, base string, suites func(protocol.SuiteID) (*protocol.Suite, error), transport http.RoundTripper, c *Client) (*sessions, error) {
	var once sync.Once
	var suite *protocol.Suite
	var suiteErr error
	p := &sessions{base: base, opt: client.Options{
		// One suite for all, so that identities keep their points.
		Suites: func(id protocol.SuiteID) (*protocol.Suite, error) {
			once.Do(func() { suite, suiteErr = suites(id) })
			return suite, suiteErr
		},
		Transport: &settingsOnce{next: transport}, WebSocket: c.Transport == "websocket", Timeout: c.Timeout.D(),
	}}
	s, err := p.get(ctx)
	if err != nil {
		return nil, err
	}
	p.put(s)
	return p, nil
}

func (p *sessions) get(ctx context.Context) (*session, error) {
	p.mu.Lock()
	if n := len(p.free); n > 0 {
		s := p.free[n-1]
		p.free = p.free[:n-1]
		p.mu.Unlock()
		s.take()
		return s, nil
	}
	p.mu.Unlock()
	s := &session{}
	opt := p.opt
	opt.Trace = s.trace
	c, err := client.Open(ctx, p.base, opt)
	s.Client = c
	return s, err
}

func (p *sessions) put(s *session) {
	p.mu.Lock()
	p.free = append(p.free, s)
	p.mu.Unlock()
}

// settingsOnce fetches the settings once and answers with them ever after: a
// client reads them when it is started, which the virtual users are not for
// every operation.
type settingsOnce struct {
	next http.RoundTripper
	mu   sync.Mutex
	kept []byte
}

const maxSettings = 1 << 20

// RoundTrip sends a request, or answers it with the settings that are kept.
func (t *settingsOnce) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/clientSettings") {
		return t.next.RoundTrip(r)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept == nil {
		answer, err := t.next.RoundTrip(r)
		if err != nil || answer.StatusCode != http.StatusOK {
			return answer, err
		}
		body, err := io.ReadAll(io.LimitReader(answer.Body, maxSettings))
		answer.Body.Close()
		if err != nil {
			return nil, err
		}
		t.kept = body
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(t.kept)), Body: io.NopCloser(bytes.NewReader(t.kept)),
	}, nil
}

// timedOut waits no longer than d in all; a context of its own.
func timedOut(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, errTimeout)
}
