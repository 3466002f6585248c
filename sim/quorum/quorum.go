// Package quorum is the client of an application's D-TAs: it asks those of one
// half of a deployment, checks the proof of every share that comes, names the
// D-TA whose share is wrong, and adds the rest up.
//
// A client of M-Pin adds two values, one from the RPS and one from the proxy.
// So there are two halves. Where all D-TAs issue together the RPS's half is the
// customer's D-TAs and the proxy's half MIRACL's. In a threshold deployment the
// RPS picks a set of t D-TAs that answer, gathers from the first half of it
// ([wire.Halves]) and signs the set for the proxy, which gathers from the rest.
//
// # Down and lying D-TAs
//
// A request that fails is tried once more, and one that takes long is sent a
// second time beside the first. In a threshold deployment a D-TA that does not
// answer is avoided for a while, as is, for longer, one whose share was wrong;
// every second each is asked for its status, so that the RPS also knows about
// those that only the proxy would ask.
package quorum

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"mpinlab/protocol"
	"mpinlab/protocol/threshold"
	"mpinlab/sim/service"
	"mpinlab/sim/wire"
)

var (
	// ErrUnavailable: too few D-TAs answered, or refused to issue.
	ErrUnavailable = errors.New("too few D-TAs issue")
	// ErrSet: a set that is not one of this deployment.
	ErrSet = errors.New("not a set of this deployment")
	// ErrClock: a D-TA issued a permit for another day than today.
	ErrClock = errors.New("permit for another day")
)

// Fault is an error with its author: what the D-TA sent is wrong.
type Fault struct {
	DTA int
	Err error
}

// Error names the D-TA and what is wrong.
func (f *Fault) Error() string { return fmt.Sprintf("D-TA %d: %v", f.DTA, f.Err) }

// Unwrap returns the kind of error: protocol.ErrBadShare for a share that was
// not made with the pinned key, ErrClock, wire.ErrMalformed or a decoder's.
func (f *Fault) Unwrap() error { return f.Err }

// Member is a D-TA that is asked directly.
type Member struct {
	Index int
	URL   string // without a slash at the end
}

// Config says which D-TAs there are and for which application they are asked.
type Config struct {
	Suite         *protocol.Suite
	AppID, AppKey string
	// Threshold is t, or 0 where all D-TAs issue together.
	Threshold int
	// Members are this half's D-TAs where all issue together, and all D-TAs in
	// a threshold deployment.
	Members []Member
	// Keys are the pinned keys of all D-TAs.
	Keys []wire.ShareKey
	// Proxy is certivoxURL, for the RPS: where its server secret comes from
	// besides Members, in an additive deployment.
	Proxy string
	// Timeout is for one D-TA's answer, the second try included; 0 means 3 s.
	// Hedge is when the second try is sent beside the first; 0 means 500 ms.
	Timeout, Hedge time.Duration
	// Probe is how often status is asked for; 0 means 1 s. Avoid is how long a
	// D-TA that did not answer is avoided, 0 means 5 s, and Distrust one whose
	// share was wrong; 0 means 10 min.
	Probe, Avoid, Distrust time.Duration
	Transport              http.RoundTripper // nil is service.Caller's
	Now                    func() time.Time
	Logger                 *slog.Logger
	Registry               *service.Registry
	// Name is the label of the metrics, "rps" or "proxy".
	Name string
}

// Quorum asks an application's D-TAs. It is safe for concurrent use.
type Quorum struct {
	c       Config
	call    service.Caller
	members map[int]*member
	order   wire.Set // the members' indices, ascending
	keys    map[int]*protocol.ShareKey
	stop    context.CancelFunc
	probing sync.WaitGroup
}

// New makes a quorum. In a threshold deployment it starts to ask the D-TAs for
// their status, until Close. It fails for a configuration that cannot work.
func New(c Config) (*Quorum, error) {
	switch {
	case c.Suite == nil || !c.Suite.ID().TimePermits():
		return nil, errors.New("quorum: a suite with time permits is needed: rfc9380/* or milagro/*")
	case len(c.Members) == 0:
		return nil, errors.New("quorum: no D-TAs")
	case c.Threshold < 0 || c.Threshold == 1 || c.Threshold > len(c.Members):
		return nil, fmt.Errorf("quorum: a threshold of %d among %d D-TAs", c.Threshold, len(c.Members))
	case c.AppKey == "":
		return nil, errors.New("quorum: no application key")
	}
	if err := wire.CheckAppID(c.AppID); err != nil {
		return nil, fmt.Errorf("quorum: %w", err)
	}
	defaultTo(&c.Timeout, 3*time.Second)
	defaultTo(&c.Hedge, 500*time.Millisecond)
	defaultTo(&c.Probe, time.Second)
	defaultTo(&c.Avoid, 5*time.Second)
	defaultTo(&c.Distrust, 10*time.Minute)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Registry == nil {
		c.Registry = service.NewRegistry()
	}
	q := &Quorum{c: c, call: service.Caller{Transport: c.Transport, Timeout: c.Timeout},
		members: map[int]*member{}, keys: map[int]*protocol.ShareKey{}}
	for _, k := range c.Keys {
		key, err := decodeKey(c.Suite, k)
		if err != nil {
			return nil, fmt.Errorf("quorum: %w", err)
		}
		if k.DTA < 1 || k.DTA > wire.MaxMembers || q.keys[k.DTA] != nil {
			return nil, fmt.Errorf("quorum: %w: %d", threshold.ErrIndex, k.DTA)
		}
		q.keys[k.DTA] = key
	}
	for _, m := range c.Members {
		if q.members[m.Index] != nil || q.keys[m.Index] == nil {
			return nil, fmt.Errorf("quorum: D-TA %d is there twice, or its key is not", m.Index)
		}
		q.members[m.Index] = newMember(m, c)
		q.order = append(q.order, m.Index)
	}
	slices.Sort(q.order)
	ctx, stop := context.WithCancel(context.Background())
	q.stop = stop
	if c.Threshold > 0 {
		for _, m := range q.members {
			q.probing.Go(func() { q.probe(ctx, m) })
		}
	}
	return q, nil
}

func defaultTo(d *time.Duration, v time.Duration) {
	if *d == 0 {
		*d = v
	}
}

func decodeKey(s *protocol.Suite, k wire.ShareKey) (*protocol.ShareKey, error) {
	b, err := hex.DecodeString(k.Key)
	if err != nil {
		return nil, fmt.Errorf("key of D-TA %d: %w", k.DTA, err)
	}
	key, err := s.DecodeShareKey(b)
	if err != nil {
		return nil, fmt.Errorf("key of D-TA %d: %w", k.DTA, err)
	}
	return key, nil
}

// Close ends the asking for status.
func (q *Quorum) Close() error {
	q.stop()
	q.probing.Wait()
	return nil
}

// Keys returns the pinned keys of all D-TAs.
func (q *Quorum) Keys() []wire.ShareKey { return slices.Clone(q.c.Keys) }

// Threshold returns t, or 0 where all D-TAs issue together.
func (q *Quorum) Threshold() int { return q.c.Threshold }

// Canonical returns the set that is meant where none is named: the t D-TAs of
// the lowest indices; none where all issue together.
func (q *Quorum) Canonical() wire.Set { return slices.Clone(q.order[:q.c.Threshold]) }

// Live returns the indices of the members that are not avoided.
func (q *Quorum) Live() wire.Set {
	var s wire.Set
	now := time.Now()
	for _, i := range q.order {
		if q.members[i].live(now) {
			s = append(s, i)
		}
	}
	return s
}

// pick returns a set of t members, those of the lowest indices that are not
// avoided. If they are too few it takes some that did not answer lately, but
// none that lied.
func (q *Quorum) pick() (wire.Set, error) {
	now := time.Now()
	var set, down wire.Set
	for _, i := range q.order {
		switch m := q.members[i]; {
		case m.live(now):
			set = append(set, i)
		case !m.distrusted(now):
			down = append(down, i)
		}
	}
	if missing := q.c.Threshold - len(set); missing > len(down) {
		return nil, fmt.Errorf("%w: %d are left of the %d that must", ErrUnavailable, len(set)+len(down), q.c.Threshold)
	} else if missing > 0 {
		set = append(set, down[:missing]...)
	}
	set = set[:q.c.Threshold]
	slices.Sort(set)
	return set, nil
}

// named returns the set of a request: the canonical one where it names none.
// Error: ErrSet.
func (q *Quorum) named(set wire.Set) (wire.Set, error) {
	if len(set) == 0 {
		return q.Canonical(), nil
	}
	if len(set) != q.c.Threshold {
		return nil, fmt.Errorf("%w: %d D-TAs", ErrSet, len(set))
	}
	for _, i := range set {
		if q.members[i] == nil {
			return nil, fmt.Errorf("%w: D-TA %d", ErrSet, i)
		}
	}
	return set, nil
}

// key returns the key for what a D-TA issues for a set.
func (q *Quorum) key(index int, set wire.Set) (*protocol.ShareKey, error) {
	k := q.keys[index]
	if k == nil {
		return nil, fmt.Errorf("%w: no key of D-TA %d", ErrSet, index)
	}
	if len(set) == 0 {
		return k, nil
	}
	return threshold.AdditiveKey(k, index, set)
}

// signed adds the set to a query and signs it. parts are what is signed beside
// the set.
func (q *Quorum) signed(query wire.Query, set wire.Set, parts []string) wire.Query {
	if len(set) != 0 {
		query["set"] = set.String()
	}
	query["signature"] = wire.Sign(q.c.AppKey, wire.WithSet(parts, set)...)
	return query
}

func (q *Quorum) clientQuery(hashID, hashUserID string, mobile bool, set wire.Set) wire.Query {
	expires := wire.Expires(q.c.Now())
	m := "0"
	if mobile {
		m = "1"
	}
	return q.signed(wire.Query{
		"app_id": q.c.AppID, "expires": expires, "hash_mpin_id": hashID, "hash_user_id": hashUserID, "mobile": m,
	}, set, wire.ClientSecretParts(q.c.AppID, hashID, hashUserID, expires))
}

func (q *Quorum) permitQuery(hashID string, set wire.Set) wire.Query {
	expires := wire.Expires(q.c.Now())
	return q.signed(wire.Query{"app_id": q.c.AppID, "expires": expires, "hash_mpin_id": hashID},
		set, wire.PermitParts(q.c.AppID, hashID, expires))
}

func (q *Quorum) permitsQuery(hashID string, set wire.Set, count int) wire.Query {
	query := q.permitQuery(hashID, set)
	query["count"] = strconv.Itoa(count)
	return query
}

func (q *Quorum) serverQuery(set wire.Set) wire.Query {
	expires := wire.Expires(q.c.Now())
	return q.signed(wire.Query{"app_id": q.c.AppID, "expires": expires}, set, wire.ServerSecretParts(q.c.AppID, expires))
}

func (q *Quorum) proxyURL(path string) string {
	return strings.TrimSuffix(q.c.Proxy, "/") + path
}
