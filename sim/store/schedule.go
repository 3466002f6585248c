package store

import "container/heap"

// timed is an element of a schedule.
type timed interface {
	due() int64 // ms since the epoch
	place() *int
}

// schedule is a heap of elements by the time they are due.
type schedule[T timed] []T

func (s schedule[T]) Len() int           { return len(s) }
func (s schedule[T]) Less(i, j int) bool { return s[i].due() < s[j].due() }
func (s schedule[T]) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	*s[i].place(), *s[j].place() = i, j
}

// Push and Pop are for container/heap.
func (s *schedule[T]) Push(x any) {
	t := x.(T)
	*t.place() = len(*s)
	*s = append(*s, t)
}

// Pop is for container/heap.
func (s *schedule[T]) Pop() any {
	old := *s
	last := old[len(old)-1]
	var none T
	old[len(old)-1] = none
	*s = old[:len(old)-1]
	*last.place() = -1
	return last
}

func (s *schedule[T]) add(t T) { heap.Push(s, t) }

func (s *schedule[T]) drop(t T) { heap.Remove(s, *t.place()) }

// next removes and returns the first element if it is due.
func (s *schedule[T]) next(now int64) (t T, ok bool) {
	if len(*s) == 0 || (*s)[0].due() > now {
		return t, false
	}
	return heap.Pop(s).(T), true
}
