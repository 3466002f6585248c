package rps

import (
	"crypto/hmac"
	"crypto/sha256"
	"strconv"
	"time"

	"mpinlab/sim/service"
)

// metrics are the server's own, beside those of package service.
type metrics struct {
	verdicts                       map[class]*service.Counter
	verifySeconds, searchSeconds   *service.Histogram
	attempts, blocks               *service.Counter
	repeatedU                      *service.Counter
	identityHits, identityMisses   *service.Counter
	challengeHits, challengeMisses *service.Counter
	permitHits, permitMisses       *service.Counter
	phones, sockets                *service.Gauge
	socketAnswers, socketRefusals  [3]*service.Counter // by pass; 0 is neither
	socketSeconds                  *service.Histogram
	registry                       *service.Registry
}

// class is how a login ended.
type class string

const (
	accepted    class = "accepted"
	wrongPIN    class = "wrong_pin"   // a PIN error was found, or the policy is any
	unexplained class = "unexplained" // no PIN error behind it
	malformed   class = "malformed"
	blocked     class = "blocked"   // refused unjudged
	exhausted   class = "allowance" // refused unjudged: unproved, and the allowance is used up
	expired     class = "expired"   // unknown or expired authOTT
	notJudged   class = "not_judged"
)

func newMetrics(r *service.Registry) metrics {
	m := metrics{
		verdicts:        map[class]*service.Counter{},
		verifySeconds:   r.Histogram("mpin_verify_seconds", "Time of verifying a login, waiting in a batch included.", service.Seconds),
		searchSeconds:   r.Histogram("mpin_pin_error_seconds", "Time of looking for the PIN error behind a failed login.", service.Seconds),
		attempts:        r.Counter("mpin_attempts_reserved_total", "Attempts reserved."),
		blocks:          r.Counter("mpin_blocks_total", "Identities blocked."),
		repeatedU:       r.Counter("mpin_repeated_u_total", "Pass 1 with a U that the identity has sent before."),
		identityHits:    r.Counter("mpin_identity_cache_total", "Look-ups of identities.", "result", "hit"),
		identityMisses:  r.Counter("mpin_identity_cache_total", "Look-ups of identities.", "result", "miss"),
		challengeHits:   r.Counter("mpin_challenge_cache_total", "Look-ups of decoded challenges.", "result", "hit"),
		challengeMisses: r.Counter("mpin_challenge_cache_total", "Look-ups of decoded challenges.", "result", "miss"),
		permitHits:      r.Counter("mpin_permit_cache_total", "Look-ups of permit shares.", "result", "hit"),
		permitMisses:    r.Counter("mpin_permit_cache_total", "Look-ups of permit shares.", "result", "miss"),
		phones:          r.Gauge("mpin_phones_waiting", "Phones that wait for their browsers."),
		sockets:         r.Gauge("mpin_websockets", "Open WebSockets."),
		registry:        r,
	}
	for pass := range m.socketAnswers {
		const name, help = "mpin_websocket_messages_total", "Messages over WebSockets."
		m.socketAnswers[pass] = r.Counter(name, help, "pass", strconv.Itoa(pass), "result", "answered")
		m.socketRefusals[pass] = r.Counter(name, help, "pass", strconv.Itoa(pass), "result", "refused")
	}
	m.socketSeconds = r.Histogram("mpin_websocket_seconds", "Time of answering a message over a WebSocket.", service.Seconds)
	for _, c := range []class{accepted, wrongPIN, unexplained, malformed, blocked, exhausted, expired, notJudged} {
		m.verdicts[c] = r.Counter("mpin_logins_total", "Redeemed logins by verdict.", "verdict", string(c))
	}
	return m
}

// batchSizes are the sizes of a batching verifier's batches.
func (m *metrics) batchSizes() *service.Histogram {
	return m.registry.Histogram("mpin_batch_size", "Logins verified together.", service.Sizes)
}

// watch publishes a batching verifier's counters.
func (m *metrics) watch(v *verifier) {
	if v.batching == nil {
		return
	}
	stats := v.batching.Stats
	gauge := func(name, help string, f func() float64) { m.registry.GaugeFunc(name, help, f) }
	gauge("mpin_batch_waiting", "Logins that wait for a batch.", func() float64 { return float64(stats().Waiting) })
	gauge("mpin_batch_verifying", "Logins in batches being verified.", func() float64 { return float64(stats().Verifying) })
	gauge("mpin_batch_limit", "Greatest batch at the present share of bad logins.", func() float64 { return float64(stats().Limit) })
	gauge("mpin_batches", "Batches since the start.", func() float64 { return float64(stats().Batches) })
	gauge("mpin_batched_logins", "Logins verified in batches since the start.", func() float64 { return float64(stats().Verified) })
	gauge("mpin_batch_overloaded", "Logins refused since the start because too many waited.", func() float64 { return float64(stats().Overloaded) })
}

// StoreObserver returns a function for store.Options.Observe that keeps the
// times of a store's calls in a registry.
func StoreObserver(r *service.Registry) func(op string, took time.Duration, err error) {
	seconds, failures := map[string]*service.Histogram{}, map[string]*service.Counter{}
	for _, op := range []string{"do", "swap", "scan", "reserve", "settle", "failures", "clear", "ping"} {
		seconds[op] = r.Histogram("mpin_store_seconds", "Time of a call to the store.", service.Seconds, "op", op)
		failures[op] = r.Counter("mpin_store_errors_total", "Calls to the store that gave an error, refusals of blocked identities among them.", "op", op)
	}
	return func(op string, took time.Duration, err error) {
		if h := seconds[op]; h != nil {
			h.Observe(took.Seconds())
		}
		if c := failures[op]; c != nil && err != nil {
			c.Inc()
		}
	}
}

func keyed(key, message []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(message)
	return m.Sum(nil)
}
