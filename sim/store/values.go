package store

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// overhead is what a value takes in memory beside its key and bytes: map slot,
// entry, schedule.
const overhead = 160

// values holds values in memory, divided in shards, up to a number and a size.
//
// Expired ones are never given out. They are removed when they are met, two at
// a time by every put into the same shard, so that they are never more than
// were written between, and all of them before anything is refused for want of
// room. There is nothing that runs in the background.
type values struct {
	now   func() int64
	parts [shards]part
	room  room
	marks room // that of the marks, a part of room
}

type part struct {
	mu      sync.Mutex
	entries map[name]*entry
	times   schedule[*entry]
	marks   schedule[*entry] // those of the kind Mark, which are not in times
}

// schedule returns the one that an entry is in if it expires.
func (p *part) schedule(e *entry) *schedule[*entry] {
	if e.name.kind == Mark {
		return &p.marks
	}
	return &p.times
}

type entry struct {
	name    name
	value   []byte
	expires int64 // 0: never
	index   int
}

func (e *entry) due() int64  { return e.expires }
func (e *entry) place() *int { return &e.index }
func (e *entry) size() int64 { return int64(overhead + len(e.name.key) + len(e.value)) }

func newValues(now func() int64, o Options) *values {
	v := &values{now: now}
	v.room.maxCount, v.room.maxBytes = int64(o.MaxValues), o.MaxBytes
	v.marks.maxCount, v.marks.maxBytes = int64(o.MaxValues)/2, o.MaxBytes/2
	for i := range v.parts {
		v.parts[i].entries = map[name]*entry{}
	}
	return v
}

// room counts what is held.
type room struct {
	count, bytes       atomic.Int64
	maxCount, maxBytes int64
}

func (r *room) add(count, bytes int64) {
	r.count.Add(count)
	r.bytes.Add(bytes)
}

// over tells whether it holds more than it may.
func (r *room) over() bool { return r.count.Load() > r.maxCount || r.bytes.Load() > r.maxBytes }

// take adds what does not go over the limits.
func (r *room) take(count, bytes int64) bool {
	n, size := r.count.Add(count), r.bytes.Add(bytes)
	if count > 0 && n > r.maxCount || bytes > 0 && size > r.maxBytes {
		r.add(-count, -bytes)
		return false
	}
	return true
}

// claim makes sure of room for as much as ops can need at most, so that none of
// them fails half-way; it is to be given back when they are done, and what they
// really took has been counted. Only kinds for which held is true count.
func (v *values) claim(ops []Op, held func(Kind) bool) (count, bytes int64, err error) {
	for i := range ops {
		op := &ops[i]
		switch {
		case (op.verb == verbPut || op.verb == verbCreate) && held(op.kind):
			count++
			bytes += int64(overhead + len(op.key) + len(op.value))
		case op.verb == verbSwap && held(op.kind):
			bytes += int64(max(0, len(op.value)-len(op.old)))
		case op.verb == verbMove && held(op.to):
			if !held(op.kind) {
				count++
				bytes += overhead + MaxValue
			}
			bytes += int64(len(op.toKey) + len(op.value))
		}
	}
	if v.room.take(count, bytes) {
		return count, bytes, nil
	}
	v.sweep()
	if v.room.take(count, bytes) {
		return count, bytes, nil
	}
	return 0, 0, ErrFull
}

// sweep removes what has expired.
func (v *values) sweep() {
	now := v.now()
	for i := range v.parts {
		p := &v.parts[i]
		p.mu.Lock()
		for v.expire(p, now) {
		}
		p.mu.Unlock()
	}
}

// expire removes one expired entry, if there is one.
func (v *values) expire(p *part, now int64) bool {
	e, ok := p.times.next(now)
	if !ok {
		e, ok = p.marks.next(now)
	}
	if ok {
		delete(p.entries, e.name)
		v.count(e, -1)
	}
	return ok
}

// count counts an entry that has come (1) or gone (-1).
func (v *values) count(e *entry, n int64) {
	v.room.add(n, n*e.size())
	if e.name.kind == Mark {
		v.marks.add(n, n*e.size())
	}
}

// set is a set of shards, a bit each.
type set uint64

func (s set) with(key string) set { return s | 1<<shardOf(key) }

// setOf returns the shards of the names that are held in memory.
func setOf(ops []Op, held func(Kind) bool) (s set) {
	for i := range ops {
		op := &ops[i]
		if held(op.kind) {
			s = s.with(op.key)
		}
		if op.verb == verbMove && held(op.to) {
			s = s.with(op.toKey)
		}
	}
	return s
}

// lock locks shards, always in the same order.
func (v *values) lock(s set) {
	for ; s != 0; s &= s - 1 {
		v.parts[bits.TrailingZeros64(uint64(s))].mu.Lock()
	}
}

func (v *values) unlock(s set) {
	for ; s != 0; s &= s - 1 {
		v.parts[bits.TrailingZeros64(uint64(s))].mu.Unlock()
	}
}

// view is values as a table at one time; the shards must be locked. With undo
// it keeps what rollback needs.
type view struct {
	*values
	at   int64
	undo bool
	was  []entry // as they were, in order; a value of nil: there was none
}

func (t *view) get(n name) ([]byte, int64, bool, error) {
	p := &t.parts[shardOf(n.key)]
	e := p.entries[n]
	if e == nil {
		return nil, 0, false, nil
	}
	if e.expires != 0 && e.expires <= t.at {
		t.drop(p, e)
		return nil, 0, false, nil
	}
	return e.value, e.expires, true, nil
}

func (t *view) put(n name, value []byte, expires int64) error {
	p := &t.parts[shardOf(n.key)]
	for range 2 {
		t.expire(p, t.at)
	}
	old := p.entries[n]
	t.note(n, old)
	if old != nil {
		t.drop(p, old)
	}
	e := &entry{name: n, value: value, expires: expires, index: -1}
	p.entries[n] = e
	if expires != 0 {
		p.schedule(e).add(e)
	}
	t.count(e, 1)
	if n.kind == Mark && t.marks.over() && len(p.marks) > 1 {
		if oldest := p.marks[0]; oldest != e {
			t.note(oldest.name, oldest)
			t.drop(p, oldest)
		}
	}
	return nil
}

func (t *view) remove(n name) error {
	p := &t.parts[shardOf(n.key)]
	if e := p.entries[n]; e != nil {
		t.note(n, e)
		t.drop(p, e)
	}
	return nil
}

func (t *view) drop(p *part, e *entry) {
	delete(p.entries, e.name)
	if e.index >= 0 {
		p.schedule(e).drop(e)
	}
	t.count(e, -1)
}

func (t *view) note(n name, old *entry) {
	switch {
	case !t.undo:
	case old == nil:
		t.was = append(t.was, entry{name: n})
	default:
		t.was = append(t.was, *old)
	}
}

// rollback puts back what was there.
func (t *view) rollback() {
	was := t.was
	t.undo, t.was = false, nil
	for i := len(was) - 1; i >= 0; i-- {
		if was[i].value == nil {
			t.remove(was[i].name)
		} else {
			t.put(was[i].name, was[i].value, was[i].expires)
		}
	}
}

// copyOf returns the live values of a kind in one shard.
func (v *values) copyOf(shard int, k Kind) (keys []string, vals [][]byte) {
	p := &v.parts[shard]
	now := v.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for n, e := range p.entries {
		if n.kind == k && (e.expires == 0 || e.expires > now) {
			keys = append(keys, n.key)
			vals = append(vals, e.value)
		}
	}
	return keys, vals
}

// scan calls f with the live values of a kind until it returns false. f is
// called with nothing locked.
func (v *values) scan(k Kind, f func(string, []byte) bool) {
	for shard := range shards {
		keys, vals := v.copyOf(shard, k)
		for i := range keys {
			if !f(keys[i], clone(vals[i])) {
				return
			}
		}
	}
}
