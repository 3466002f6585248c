package store

import (
	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// letGo unmaps the pages of the file; they are mapped again where they are
// used. While a transaction is open the mapping stays where it is. An error
// would only mean that they stay.
func letGo(tx *bbolt.Tx) {
	unix.Syscall(unix.SYS_MADVISE, tx.DB().Info().Data, uintptr(tx.Size()), unix.MADV_DONTNEED)
}
