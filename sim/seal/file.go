package seal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
)

// Create seals a secret into a new file. If there is one already it is left
// alone and the error is ErrExists. A folder that is missing is made, with mode
// 0700; the file has mode 0600. When Create returns nil the file is on disk.
func Create(ctx context.Context, path string, s Sealer, label string, secret []byte) error {
	return disk{}.seal(ctx, path, s, label, secret, false)
}

// Write is Create for a file that may be there and is replaced: at any moment,
// also of a crash, path has either the old file or the new one, whole. What a
// crash leaves beside it (sealed, as the file itself) the next Write removes.
// One process at a time may write a file.
func Write(ctx context.Context, path string, s Sealer, label string, secret []byte) error {
	return disk{}.seal(ctx, path, s, label, secret, true)
}

// Read opens a sealed file. It reads at most MaxSealed bytes of a regular file.
// A file of kind none that its group or others have any right to, or in a
// folder that they may write to, is ErrPermissions. The caller overwrites the
// secret after use.
func Read(ctx context.Context, path string, s Sealer, label string) ([]byte, error) {
	sealed, err := readBounded(path, MaxSealed, checkClear)
	if err != nil {
		return nil, err
	}
	defer clear(sealed)
	secret, err := s.Open(ctx, label, sealed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return secret, nil
}

// Copy seals the secret of one file into another, new one, under the same
// Sealer or another, and checks that the copy opens. It is both backup and
// restore: neither overwrites, a damaged file has to be moved away by hand.
func Copy(ctx context.Context, label, from string, opener Sealer, to string, sealer Sealer) error {
	return disk{}.reseal(ctx, label, from, opener, to, sealer, false)
}

// Reseal seals the secret of a file anew, in its place: from an old passphrase
// to a new one, or from one kind to another. The file is replaced after its
// successor has been opened and found to hold the same secret; at any moment,
// also of a crash, one of the two is there, whole. Only where one of them is of
// kind none is there anything in clear; what was once on a disk in clear may be
// found there after Reseal, and after deletion: replace such a secret.
func Reseal(ctx context.Context, label, path string, from, to Sealer) error {
	return disk{}.reseal(ctx, label, path, from, path, to, true)
}

// disk writes files. at, nil outside tests, is called before each step.
type disk struct{ at func(step string) error }

func (d disk) step(name string) error {
	if d.at == nil {
		return nil
	}
	return d.at(name)
}

func (d disk) seal(ctx context.Context, path string, s Sealer, label string, secret []byte, replace bool) error {
	sealed, err := s.Seal(ctx, label, secret)
	if err != nil {
		return err
	}
	defer clear(sealed)
	return d.write(path, sealed, replace)
}

func (d disk) reseal(ctx context.Context, label, from string, opener Sealer, to string, sealer Sealer, replace bool) error {
	secret, err := Read(ctx, from, opener, label)
	if err != nil {
		return err
	}
	defer clear(secret)
	if err := d.step("seal"); err != nil {
		return err
	}
	sealed, err := sealer.Seal(ctx, label, secret)
	if err != nil {
		return err
	}
	defer clear(sealed)
	if err := d.step("check"); err != nil {
		return err
	}
	again, err := sealer.Open(ctx, label, sealed)
	defer clear(again)
	if err != nil {
		return fmt.Errorf("the new seal does not open, nothing was written: %w", err)
	}
	if !same(secret, again) {
		return fmt.Errorf("%w: the new seal opens to something else, nothing was written", ErrTampered)
	}
	return d.write(to, sealed, replace)
}

// writing keeps the writers of this process apart: they remove each other's
// leftovers.
var writing sync.Mutex

// write puts sealed at path, durably: a new file beside it is filled and
// synchronised, then takes the name, then the folder is synchronised.
func (d disk) write(path string, sealed []byte, replace bool) (err error) {
	writing.Lock()
	defer writing.Unlock()
	if path, err = target(path); err != nil {
		return err
	}
	folder := filepath.Dir(path)
	if err := makeFolder(folder); err != nil {
		return err
	}
	if !replace {
		if _, err := os.Lstat(path); err == nil {
			return fmt.Errorf("%s: %w", path, ErrExists)
		}
	}
	if err := removeLeftovers(path); err != nil {
		return err
	}
	if err := d.step("make"); err != nil {
		return err
	}
	f, err := os.CreateTemp(folder, leftover(path)) // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		f.Close()
		os.Remove(f.Name()) // gone already if it took the name
	}()
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"write", func() error { _, err := f.Write(sealed); return err }},
		{"sync", f.Sync},
		{"close", f.Close},
		{"name", func() error {
			if replace {
				return os.Rename(f.Name(), path)
			}
			// Unlike a rename, a link never takes the place of a file that
			// somebody else made in the meantime.
			err := os.Link(f.Name(), path)
			if errors.Is(err, fs.ErrExist) {
				return fmt.Errorf("%s: %w", path, ErrExists)
			}
			return err
		}},
		{"sync folder", func() error {
			if err := syncFolder(folder); err != nil {
				return fmt.Errorf("%s is written, but may not survive a power cut: %w", path, err)
			}
			return nil
		}},
	} {
		if err := d.step(step.name); err != nil {
			return err
		}
		if err := step.do(); err != nil {
			return err
		}
	}
	return d.step("end")
}

// target is the file behind path. A symbolic link stays one: to replace the
// link would leave the old file where it points.
func target(path string) (string, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return path, nil
	}
	if err != nil {
		return "", err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return filepath.EvalSymlinks(path)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s: %w: not a regular file", path, fs.ErrInvalid)
	}
	return path, nil
}

// leftover is the pattern of the names of files that are being written.
func leftover(path string) string { return "." + filepath.Base(path) + ".sealing-*" }

func removeLeftovers(path string) error {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return err
	}
	pattern := leftover(path)
	prefix := pattern[:len(pattern)-1]
	for _, e := range entries {
		if name := e.Name(); len(name) > len(prefix) && name[:len(prefix)] == prefix {
			if err := os.Remove(filepath.Join(filepath.Dir(path), name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// makeFolder makes folders where they are missing, and makes their names
// durable.
func makeFolder(folder string) error {
	if _, err := os.Stat(folder); err == nil {
		return nil
	}
	above := filepath.Dir(folder)
	if err := makeFolder(above); err != nil {
		return err
	}
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(above)
}

func syncFolder(folder string) error {
	if runtime.GOOS == "windows" {
		return nil // a folder cannot be opened for it there
	}
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// readBounded reads a regular file of at most limit bytes. check, if not nil,
// sees the open file and its bytes before they are returned.
func readBounded(path string, limit int, check func(f *os.File, b []byte) error) ([]byte, error) {
	// Before opening: to open a named pipe would wait for a writer.
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w: not a regular file", path, fs.ErrInvalid)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, limit+1)
	n, err := io.ReadFull(f, b)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		clear(b)
		return nil, err
	}
	if n > limit {
		clear(b)
		return nil, fmt.Errorf("%s: %w: more than %d bytes", path, ErrSize, limit)
	}
	if check != nil {
		if err := check(f, b[:n]); err != nil {
			clear(b)
			return nil, err
		}
	}
	return b[:n], nil
}

// checkClear refuses a file of kind none that is not its owner's alone.
func checkClear(f *os.File, sealed []byte) error {
	if runtime.GOOS == "windows" {
		return nil // its access lists are not in the mode
	}
	if info, err := Inspect(sealed); err != nil || info.Kind != KindNone {
		return nil // Open says what is wrong
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%w: %s is in clear and has mode %04o; give it mode 0600, and replace the secret if others may have read it", ErrPermissions, f.Name(), info.Mode().Perm())
	}
	path, err := filepath.EvalSymlinks(f.Name())
	if err != nil {
		return err
	}
	folder := filepath.Dir(path)
	if info, err = os.Stat(folder); err != nil {
		return err
	}
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%w: others may replace files in clear in %s, which has mode %04o; give it mode 0700", ErrPermissions, folder, info.Mode().Perm())
	}
	return nil
}
