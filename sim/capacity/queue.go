package capacity

// event is something that happens at a time: what is told by a kind and two
// numbers, so that no event is ever allocated by itself.
type event struct {
	at   int64 // ns
	job  uint32
	gen  uint32 // of the job; an event of an older one is stale
	core uint32 // which instance's, or the batch
	kind uint8
}

// heap is the events to come, the earliest first: a heap of four children a
// node, in which a node and its children share two cache lines.
type heap struct{ list []event }

func (h *heap) push(e event) {
	h.list = append(h.list, e)
	l, i := h.list, len(h.list)-1
	for i > 0 {
		up := (i - 1) / 4
		if l[up].at <= e.at {
			break
		}
		l[i] = l[up]
		i = up
	}
	l[i] = e
}

// pop takes the earliest event; there must be one.
func (h *heap) pop() event {
	l := h.list
	first, n := l[0], len(l)-1
	e := l[n]
	h.list = l[:n]
	if n == 0 {
		return first
	}
	l = h.list
	i := 0
	for {
		child := 4*i + 1
		if child >= n {
			break
		}
		least := child
		for c := child + 1; c < min(child+4, n); c++ {
			if l[c].at < l[least].at {
				least = c
			}
		}
		if l[least].at >= e.at {
			break
		}
		l[i] = l[least]
		i = least
	}
	l[i] = e
	return first
}

// ring is a queue, first in first out, that grows as it needs.
type ring[T any] struct {
	list []T // its length is a power of two
	head int
	n    int
}

func (r *ring[T]) push(x T) {
	r.grow()
	r.list[(r.head+r.n)&(len(r.list)-1)] = x
	r.n++
}

// unshift puts x before the first.
func (r *ring[T]) unshift(x T) {
	r.grow()
	r.head = (r.head - 1) & (len(r.list) - 1)
	r.list[r.head] = x
	r.n++
}

// grow makes room for one more.
func (r *ring[T]) grow() {
	if r.n < len(r.list) {
		return
	}
	bigger := make([]T, max(16, 2*len(r.list)))
	for i := range r.n {
		bigger[i] = r.list[(r.head+i)&(len(r.list)-1)]
	}
	r.list, r.head = bigger, 0
}

// pop takes the first; there must be one.
func (r *ring[T]) pop() T {
	x := r.list[r.head]
	r.head = (r.head + 1) & (len(r.list) - 1)
	r.n--
	return x
}

// drop takes the first n.
func (r *ring[T]) drop(n int) {
	if n > 0 {
		r.head = (r.head + n) & (len(r.list) - 1)
		r.n -= n
	}
}

func (r *ring[T]) first() *T { return &r.list[r.head] }

// at is the one after i others.
func (r *ring[T]) at(i int) *T { return &r.list[(r.head+i)&(len(r.list)-1)] }
