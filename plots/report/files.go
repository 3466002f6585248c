package report

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// writeFile writes content under a temporary name in the same folder and
// renames it, so that path holds the old content, or the new, or nothing, and
// never a part.
func writeFile(path string, content []byte) error {
	err := writeThenRename(path, content)
	if err != nil {
		return fmt.Errorf("report: cannot write %s: %w; make room there or choose another folder", path, pathless(err))
	}
	return nil
}

func writeThenRename(path string, content []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close() // a second time after a failed Close does no harm
			os.Remove(f.Name())
		}
	}()
	if _, err := f.Write(content); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// pathless takes off an error the path, which the text around it has.
func pathless(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	var link *os.LinkError
	if errors.As(err, &link) {
		return link.Err
	}
	return err
}

// Prepare makes the folder of a report and tries to write there, so that a
// long measurement does not end at a folder that cannot be written.
func Prepare(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("report: cannot make the folder %s: %w; choose another one", dir, pathless(err))
	}
	f, err := os.CreateTemp(dir, ".probe-*")
	if err == nil {
		_, err = f.Write(make([]byte, 4096))
		f.Close()
		os.Remove(f.Name())
	}
	if err != nil {
		return fmt.Errorf("report: cannot write in the folder %s: %w; make room there or choose another one", dir, pathless(err))
	}
	return nil
}

// removeOld takes away what an older report left, except what is to be kept.
func removeOld(paths []string, keep map[string]bool) error {
	for _, path := range paths {
		if keep[path] {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("report: cannot remove %s, which is of an older report: %w; remove it yourself", path, pathless(err))
		}
	}
	return nil
}
