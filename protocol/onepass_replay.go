package protocol

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"sync"
	"time"
)

// ReplayWindow says which proofs of the one-pass protocol a server accepts.
type ReplayWindow struct {
	// Past and Future are how far a proof's time may lie behind and ahead of
	// the server's clock, both inclusive and in whole seconds: with the
	// clock's second at n, times from n − Past to n + Future are accepted.
	Past, Future time.Duration
	// Capacity is the number of proofs remembered, about 100 bytes each. A
	// proof is kept for at most Past + Future and a second, so that the
	// capacity over that time is the rate of log-ins that can be sustained.
	Capacity int
	// After, if not zero, refuses all proofs of this second or earlier. A
	// cache begins empty: a server that starts again without its memory sets
	// it to the time at which its predecessor last ran, plus Future.
	After time.Time
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// ReplayCache remembers the one-pass proofs that were accepted, for as long as
// their time is acceptable, by identity and commitment: while it remembers one,
// it refuses a second with the same commitment whatever its time. It never forgets one to make room for another:
// when it is full, new proofs are refused. It is safe for concurrent use.
//
// The clock may move. When a proof is forgotten, its time and all before it
// are refused from then on, so that a clock set back does not bring a
// forgotten proof into the window again.
type ReplayCache struct {
	past, future int64
	capacity     int
	now          func() time.Time

	mu   sync.Mutex
	seen map[[sha256.Size]byte]struct{}
	// queue is a heap with the earliest time first.
	queue []seenProof
	// floor is the greatest time of any proof forgotten.
	floor int64
}

type seenProof struct {
	time int64
	key  [sha256.Size]byte
}

// maxWindow bounds Past and Future.
const maxWindow = 24 * time.Hour

// NewReplayCache makes an empty cache. It fails for a window that is negative,
// longer than a day on either side or not in whole seconds, and for a capacity
// below 1.
func NewReplayCache(w ReplayWindow) (*ReplayCache, error) {
	for _, d := range []time.Duration{w.Past, w.Future} {
		if d < 0 || d > maxWindow || d%time.Second != 0 {
			return nil, fmt.Errorf("replay cache: a window reaches 0 to %v, in whole seconds, not %v", maxWindow, d)
		}
	}
	if w.Capacity < 1 {
		return nil, fmt.Errorf("replay cache: a capacity of %d", w.Capacity)
	}
	c := &ReplayCache{past: int64(w.Past / time.Second), future: int64(w.Future / time.Second), capacity: w.Capacity,
		now: w.Now, seen: map[[sha256.Size]byte]struct{}{}, floor: math.MinInt64}
	if c.now == nil {
		c.now = time.Now
	}
	if !w.After.IsZero() {
		c.floor = w.After.Unix()
	}
	return c, nil
}

// Len returns the number of proofs that are remembered.
func (c *ReplayCache) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(c.now().Unix())
	return len(c.seen)
}

// replayKey names a commitment of an identity in a suite, whatever the
// backend.
func replayKey(id *Identity, u []byte) (key [sha256.Size]byte) {
	h := sha256.New()
	for _, b := range [][]byte{[]byte(id.suite.id.String()), id.hash, u} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b))))
		h.Write(b)
	}
	h.Sum(key[:0])
	return key
}

// check says whether a proof of this time could be entered now. Errors:
// ErrWindow, ErrReplay, ErrReplayCacheFull.
func (c *ReplayCache) check(key [sha256.Size]byte, t int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.admit(key, t)
}

// enter remembers a proof. Errors: those of check.
func (c *ReplayCache) enter(key [sha256.Size]byte, t int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.admit(key, t); err != nil {
		return err
	}
	c.seen[key] = struct{}{}
	c.push(seenProof{t, key})
	return nil
}

func (c *ReplayCache) admit(key [sha256.Size]byte, t int64) error {
	now := c.now().Unix()
	c.forget(now)
	switch _, replayed := c.seen[key]; {
	case t < now-c.past:
		return fmt.Errorf("%w: %d is before %d", ErrWindow, t, now-c.past)
	case t > now+c.future:
		return fmt.Errorf("%w: %d is after %d", ErrWindow, t, now+c.future)
	case replayed:
		return ErrReplay
	case t <= c.floor:
		return fmt.Errorf("%w: proofs of %d and before are no longer remembered", ErrWindow, c.floor)
	case len(c.seen) >= c.capacity:
		return ErrReplayCacheFull
	}
	return nil
}

// forget drops what the window has left behind.
func (c *ReplayCache) forget(now int64) {
	for len(c.queue) > 0 && c.queue[0].time < now-c.past {
		old := c.pop()
		delete(c.seen, old.key)
		c.floor = max(c.floor, old.time)
	}
}

func (c *ReplayCache) push(p seenProof) {
	c.queue = append(c.queue, p)
	for i := len(c.queue) - 1; i > 0; {
		up := (i - 1) / 2
		if c.queue[up].time <= c.queue[i].time {
			return
		}
		c.queue[up], c.queue[i] = c.queue[i], c.queue[up]
		i = up
	}
}

func (c *ReplayCache) pop() seenProof {
	first, last := c.queue[0], len(c.queue)-1
	c.queue[0] = c.queue[last]
	c.queue = c.queue[:last]
	for i := 0; ; {
		least := i
		for _, down := range []int{2*i + 1, 2*i + 2} {
			if down < last && c.queue[down].time < c.queue[least].time {
				least = down
			}
		}
		if least == i {
			return first
		}
		c.queue[i], c.queue[least] = c.queue[least], c.queue[i]
		i = least
	}
}
