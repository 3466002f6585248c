package store

import (
	"sync/atomic"

	"go.etcd.io/bbolt"
)

// mapped keeps the file from counting as this process's memory: bbolt maps it,
// and the kernel with every page that is read maps those around it, so that in
// time the whole file is resident. What is let go stays in the page cache.
type mapped struct{ uses atomic.Int64 }

// letGoAfter is the number of uses of the file after which it is let go of. Each
// maps some hundred KB at most.
const letGoAfter = 512

// used counts n uses in a transaction that is open.
func (m *mapped) used(tx *bbolt.Tx, n int) {
	if m.uses.Add(int64(n)) >= letGoAfter {
		m.uses.Store(0)
		letGo(tx)
	}
}
