//go:build !js

package client

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/rogpeppe/go-internal/lockedfile"
)

const (
	vaultFormat = "mpin-vault/1"
	maxHeader   = 1 << 10
	keyBytes    = 32
	saltBytes   = 16
)

// vaultHeader is the first line of a vault's file, in JSON: how to open the rest,
// which is AES-256-GCM under a random nonce, with the line as associated data.
type vaultHeader struct {
	Format string `json:"format"`
	// Key is "argon2id" for a passphrase or "device" for a key file.
	Key    string `json:"key"`
	Salt   string `json:"salt,omitempty"`
	Time   uint32 `json:"time,omitempty"`   // Argon2's passes
	Memory uint32 `json:"memory,omitempty"` // in KiB
	Lanes  uint8  `json:"lanes,omitempty"`
	Nonce  string `json:"nonce"`
}

// FileVault is a vault in one encrypted file that only its owner may read (mode
// 0600). It is written beside the old one, synchronised, and put in its place, so
// that a crash leaves the old or the new contents. A lock file beside it, of the
// same name with ".lock", keeps processes apart.
type FileVault struct {
	path string
	key  VaultKey
	lock *lockedfile.Mutex

	mu      sync.Mutex
	derived []byte // of the passphrase, for this header
	from    vaultHeader
}

// OpenFileVault returns the vault at path, which is made by the first Update. The
// folder is made with mode 0700 then, if need be.
func OpenFileVault(path string, key VaultKey) *FileVault {
	return &FileVault{path: path, key: key, lock: lockedfile.MutexAt(path + ".lock")}
}

var _ Vault = (*FileVault)(nil)

// Load reads the vault. Errors: ErrLocked for a key that does not open it, also
// where the file was tampered with; ErrDamaged for what is no vault.
func (v *FileVault) Load(ctx context.Context) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.read()
}

// Update changes the vault under the lock. Errors: those of Load, f's, and those
// of writing.
func (v *FileVault) Update(ctx context.Context, f func([]byte) ([]byte, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := os.MkdirAll(filepath.Dir(v.path), 0o700); err != nil {
		return fmt.Errorf("wallet: %w", err)
	}
	unlock, err := v.lock.Lock()
	if err != nil {
		return fmt.Errorf("wallet: %w", err)
	}
	defer unlock()
	old, err := v.read()
	if err != nil {
		return err
	}
	defer clear(old)
	b, err := f(old)
	if err != nil {
		return err
	}
	defer clear(b)
	if len(b) > MaxVault {
		return fmt.Errorf("%w: %d bytes are too many for a wallet", ErrState, len(b))
	}
	sealed, err := v.seal(b)
	if err != nil {
		return err
	}
	return writeDurably(v.path, sealed)
}

func (v *FileVault) read() ([]byte, error) {
	b, err := readBounded(v.path, MaxVault+maxHeader+64)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("wallet: %w", err)
	}
	h, line, sealed, err := parseVault(b)
	if err != nil {
		return nil, err
	}
	aead, err := v.aead(h)
	if err != nil {
		return nil, err
	}
	nonce, err := hex.DecodeString(h.Nonce)
	if err != nil || len(nonce) != aead.NonceSize() {
		return nil, fmt.Errorf("%w: malformed nonce", ErrDamaged)
	}
	plain, err := aead.Open(nil, nonce, sealed, line)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrLocked, v.path)
	}
	return plain, nil
}

// parseVault takes a vault's file apart.
func parseVault(b []byte) (h vaultHeader, line, sealed []byte, err error) {
	for i, c := range b[:min(len(b), maxHeader)] {
		if c == '\n' {
			line, sealed = b[:i], b[i+1:]
			break
		}
	}
	if line == nil || decode(line, &h) != nil || h.Format != vaultFormat {
		return h, nil, nil, fmt.Errorf("%w: not a vault in the format %s", ErrDamaged, vaultFormat)
	}
	return h, line, sealed, nil
}

func (v *FileVault) seal(plain []byte) ([]byte, error) {
	h := v.from
	if h.Format == "" {
		var err error
		if h, err = v.key.header(); err != nil {
			return nil, err
		}
		h.Format = vaultFormat
	}
	aead, err := v.aead(h)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	h.Nonce = hexOf(nonce)
	line, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	out := append(line, '\n')
	return aead.Seal(out, nonce, plain, line), nil
}

// aead returns the cipher for a header, whose key it keeps: deriving one from a
// passphrase is slow by design.
func (v *FileVault) aead(h vaultHeader) (cipher.AEAD, error) {
	h.Nonce = ""
	if v.derived == nil || v.from != h {
		key, err := v.key.derive(h)
		if err != nil {
			return nil, err
		}
		v.derived, v.from = key, h
	}
	block, err := aes.NewCipher(v.derived)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// readBounded reads a file of at most limit bytes.
func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		return nil, fmt.Errorf("%w: %s has more than %d bytes", ErrDamaged, path, limit)
	}
	return b, err
}

// writeDurably puts a file of mode 0600 in the place of another, all or nothing,
// and returns when it will survive a loss of power.
func writeDurably(path string, b []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(b); err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	if runtime.GOOS == "windows" {
		return nil // a folder cannot be synchronised there
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
