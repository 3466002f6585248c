package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// The file has a bucket for each durable kind, by its name, one for failures,
// one of what expires by time, and one with the format. A key begins with a
// dot, since bbolt has no empty ones; a value with 8 bytes of the time it
// expires, in ms since the epoch, big-endian, 0 for never. A key of the bucket
// of times is that time, a byte of the kind and the key; its value is empty.
const (
	metaBucket = "mpinlab"
	timeBucket = "times"
	formatKey  = "format"
	format     = "store 1"

	timeSize = 8
)

// What is removed of the expired at a time, beyond what a write puts there.
const (
	compactOnOpen  = 10_000
	compactOnWrite = 16
)

var durableKinds = [...]Kind{Registration, Revocation, Account, Application, failed}

// initialise makes a new file a store.
func initialise(tx *bbolt.Tx) error {
	meta, err := tx.CreateBucket([]byte(metaBucket))
	if err != nil {
		return err
	}
	if _, err := tx.CreateBucket([]byte(timeBucket)); err != nil {
		return err
	}
	for _, k := range durableKinds {
		if _, err := tx.CreateBucket([]byte(k.String())); err != nil {
			return err
		}
	}
	return meta.Put([]byte(formatKey), []byte(format))
}

func checkFormat(tx *bbolt.Tx) error {
	meta := tx.Bucket([]byte(metaBucket))
	if meta == nil {
		return fmt.Errorf("%w: a bbolt file of something else", ErrFormat)
	}
	if got := meta.Get([]byte(formatKey)); string(got) != format {
		return fmt.Errorf("%w: %.32q instead of %q", ErrFormat, got, format)
	}
	for _, k := range durableKinds {
		if tx.Bucket([]byte(k.String())) == nil {
			return fmt.Errorf("%w: no bucket of %v", ErrCorrupt, k)
		}
	}
	if tx.Bucket([]byte(timeBucket)) == nil {
		return fmt.Errorf("%w: no bucket of times", ErrCorrupt)
	}
	return nil
}

// checkPages goes from page to page as their headers say. A damaged length would
// have bbolt count to 2^32.
func checkPages(tx *bbolt.Tx) error {
	end := int(tx.Size()) / tx.DB().Info().PageSize
	for id := 0; id < end; id++ {
		info, err := tx.Page(id)
		if err != nil {
			return err
		}
		if info == nil || info.OverflowCount < 0 || info.Type != "free" && info.OverflowCount >= end-id {
			return fmt.Errorf("%w: length of page %d", ErrCorrupt, id)
		}
		if info.Type != "free" {
			id += info.OverflowCount
		}
	}
	return nil
}

// checkValues reads all values.
func checkValues(tx *bbolt.Tx) error {
	for _, k := range durableKinds {
		err := tx.Bucket([]byte(k.String())).ForEach(func(key, value []byte) error {
			if len(key) == 0 || key[0] != '.' {
				return fmt.Errorf("%w: key of a %v", ErrCorrupt, k)
			}
			_, value, err := decode(value)
			if err == nil && k == failed {
				_, err = decodeFailures(value)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return tx.Bucket([]byte(timeBucket)).ForEach(func(key, _ []byte) error {
		return checkTime(key)
	})
}

func checkTime(key []byte) error {
	if len(key) < timeSize+1 || !Kind(key[timeSize]).Durable() {
		return fmt.Errorf("%w: time of %d bytes", ErrCorrupt, len(key))
	}
	return nil
}

// decode takes a value in the file apart.
func decode(raw []byte) (expires int64, value []byte, err error) {
	if len(raw) < timeSize {
		return 0, nil, fmt.Errorf("%w: value of %d bytes", ErrCorrupt, len(raw))
	}
	return int64(binary.BigEndian.Uint64(raw)), raw[timeSize:], nil
}

func boltKey(key string) []byte { return append([]byte{'.'}, key...) }

func timeKey(n name, expires int64) []byte {
	key := binary.BigEndian.AppendUint64(make([]byte, 0, timeSize+1+len(n.key)), uint64(expires))
	return append(append(key, byte(n.kind)), n.key...)
}

// boltTable is the file as a table, in one transaction.
type boltTable struct {
	tx      *bbolt.Tx
	at      int64
	buckets [Application + 1]*bbolt.Bucket // as they are met; 0 is failures
	changed bool

	used, limit int64 // bytes in the file; a limit of 0 is none
}

func (t *boltTable) bucket(k Kind) *bbolt.Bucket {
	slot := k
	if k == failed {
		slot = 0
	}
	if t.buckets[slot] == nil {
		t.buckets[slot] = t.tx.Bucket([]byte(k.String()))
	}
	return t.buckets[slot]
}

func (t *boltTable) times() *bbolt.Bucket { return t.tx.Bucket([]byte(timeBucket)) }

func (t *boltTable) get(n name) ([]byte, int64, bool, error) {
	raw := t.bucket(n.kind).Get(boltKey(n.key))
	if raw == nil {
		return nil, 0, false, nil
	}
	expires, value, err := decode(raw)
	if err != nil || expires != 0 && expires <= t.at {
		return nil, 0, false, err
	}
	return value, expires, true, nil
}

func (t *boltTable) put(n name, value []byte, expires int64) error {
	if t.limit > 0 && n.kind != failed {
		if t.used += int64(overhead + len(n.key) + len(value)); t.used > t.limit {
			return ErrFull
		}
	}
	if err := t.forget(n); err != nil {
		return err
	}
	t.changed = true
	if expires != 0 {
		if err := t.times().Put(timeKey(n, expires), nil); err != nil {
			return err
		}
	}
	raw := binary.BigEndian.AppendUint64(make([]byte, 0, timeSize+len(value)), uint64(expires))
	return t.bucket(n.kind).Put(boltKey(n.key), append(raw, value...))
}

func (t *boltTable) remove(n name) error {
	if err := t.forget(n); err != nil {
		return err
	}
	t.changed = true
	return t.bucket(n.kind).Delete(boltKey(n.key))
}

// forget removes the time of a value.
func (t *boltTable) forget(n name) error {
	raw := t.bucket(n.kind).Get(boltKey(n.key))
	if raw == nil {
		return nil
	}
	expires, _, err := decode(raw)
	if err != nil || expires == 0 {
		return err
	}
	return t.times().Delete(timeKey(n, expires))
}

// compact removes at most limit of what has expired.
func (t *boltTable) compact(limit int) error {
	var due [][]byte
	c := t.times().Cursor()
	for key, _ := c.First(); key != nil && len(due) < limit; key, _ = c.Next() {
		if err := checkTime(key); err != nil {
			return err
		}
		if int64(binary.BigEndian.Uint64(key)) > t.at {
			break
		}
		due = append(due, bytes.Clone(key))
	}
	for _, key := range due {
		if err := t.remove(name{Kind(key[timeSize]), string(key[timeSize+1:])}); err != nil {
			return err
		}
	}
	return nil
}

// page returns the live ones of the next values of a kind, and where to go on,
// nil at the end.
func (t *boltTable) page(k Kind, from []byte) (keys []string, values [][]byte, next []byte, err error) {
	c := t.bucket(k).Cursor()
	read := 0
	for key, raw := c.Seek(from); key != nil; key, raw = c.Next() {
		if read++; read > page {
			return keys, values, bytes.Clone(key), nil
		}
		expires, value, err := decode(raw)
		if err != nil {
			return nil, nil, nil, err
		}
		if expires == 0 || expires > t.at {
			keys = append(keys, string(key[1:]))
			values = append(values, clone(value))
		}
	}
	return keys, values, nil, nil
}

// split sends each kind where it is kept.
type split struct{ passing, durable table }

func (s *split) of(n name) table {
	if inMemory(n.kind) {
		return s.passing
	}
	return s.durable
}

func (s *split) get(n name) ([]byte, int64, bool, error) { return s.of(n).get(n) }

func (s *split) put(n name, value []byte, expires int64) error {
	return s.of(n).put(n, value, expires)
}

func (s *split) remove(n name) error { return s.of(n).remove(n) }

// guard makes an error of a panic: bbolt's answer to a damaged file.
func guard(f func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%w: %v", ErrCorrupt, cause)
		}
	}()
	return f()
}

// fileError names an error of the file.
func fileError(err error) error {
	switch {
	case err == nil, errors.Is(err, ErrTooLarge), errors.Is(err, ErrFull), errors.Is(err, ErrUnavailable):
		return err
	case errors.Is(err, bolterrors.ErrDatabaseNotOpen):
		return ErrClosed
	case noRoom(err):
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// noRoom tells whether nothing was written because the disk, the user's quota or
// the greatest size that a file of this process may have (RLIMIT_FSIZE) allows no
// more.
func noRoom(err error) bool {
	for _, e := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, e) {
			return true
		}
		// bbolt makes the file longer before it writes to it, and gives the cause
		// of a failure there as words only.
		if s := err.Error(); strings.HasPrefix(s, "file resize error: ") && strings.HasSuffix(s, ": "+e.Error()) {
			return true
		}
	}
	return false
}
