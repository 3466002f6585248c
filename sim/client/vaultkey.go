//go:build !js

package client

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/crypto/argon2"
)

// VaultKey is what opens a [FileVault]: a passphrase or a device's key file.
type VaultKey interface {
	// header returns a header for a new vault, without nonce.
	header() (vaultHeader, error)
	// derive returns the key of keyBytes that a header asks for.
	derive(vaultHeader) ([]byte, error)
}

// The cost of a passphrase: RFC 9106's second recommendation, and the most that a
// file may ask of who opens it.
const (
	argonTime, argonMemory, argonLanes          = 3, 64 << 10, 4
	maxArgonTime, maxArgonMemory, maxArgonLanes = 16, 1 << 20, 16
)

type passphrase struct {
	text         []byte
	time, memory uint32
}

// Passphrase makes a key of a passphrase with Argon2id, 64 MiB and three passes.
// The key keeps the bytes.
func Passphrase(text []byte) VaultKey { return &passphrase{text, argonTime, argonMemory} }

func (p *passphrase) header() (vaultHeader, error) {
	salt := make([]byte, saltBytes)
	if _, err := rand.Read(salt); err != nil {
		return vaultHeader{}, err
	}
	return vaultHeader{Key: "argon2id", Salt: hexOf(salt), Time: p.time, Memory: p.memory, Lanes: argonLanes}, nil
}

func (p *passphrase) derive(h vaultHeader) ([]byte, error) {
	if h.Key != "argon2id" {
		return nil, fmt.Errorf("%w: it was not sealed with a passphrase", ErrLocked)
	}
	salt, err := hex.DecodeString(h.Salt)
	if err != nil || len(salt) < saltBytes || len(salt) > 64 {
		return nil, fmt.Errorf("%w: malformed salt", ErrDamaged)
	}
	if h.Time < 1 || h.Time > maxArgonTime || h.Memory < 8 || h.Memory > maxArgonMemory || h.Lanes < 1 || h.Lanes > maxArgonLanes {
		return nil, fmt.Errorf("%w: it asks for more work than is reasonable", ErrDamaged)
	}
	return argon2.IDKey(p.text, salt, h.Time, h.Memory, h.Lanes, keyBytes), nil
}

type deviceKey struct{ path string }

// DeviceKey makes a key of a file with 32 random bytes in hex, which is written,
// with mode 0600, when a vault is first sealed with it. Whoever can read the file
// can open the vault: it keeps the wallet safe in backups and on shared storage
// that have the vault and not the key, and beyond that the token's own properties
// are what protects it.
func DeviceKey(path string) VaultKey { return deviceKey{path} }

func (d deviceKey) header() (vaultHeader, error) {
	_, err := os.Lstat(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		key := make([]byte, keyBytes)
		if _, err := rand.Read(key); err != nil {
			return vaultHeader{}, err
		}
		defer clear(key)
		if err := os.MkdirAll(filepath.Dir(d.path), 0o700); err != nil {
			return vaultHeader{}, fmt.Errorf("device key: %w", err)
		}
		err = writeDurably(d.path, append([]byte(hexOf(key)), '\n'))
	}
	if err != nil {
		return vaultHeader{}, fmt.Errorf("device key: %w", err)
	}
	return vaultHeader{Key: "device"}, nil
}

func (d deviceKey) derive(h vaultHeader) ([]byte, error) {
	if h.Key != "device" {
		return nil, fmt.Errorf("%w: it was not sealed with a device key", ErrLocked)
	}
	info, err := os.Stat(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: the device key %s is missing", ErrLocked, d.path)
	}
	if err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%w: others may read the device key %s (mode %04o)", ErrLocked, d.path, info.Mode().Perm())
	}
	if err != nil {
		return nil, fmt.Errorf("device key: %w", err)
	}
	b, err := readBounded(d.path, 2*keyBytes+2)
	if err != nil {
		return nil, fmt.Errorf("device key: %w", err)
	}
	defer clear(b)
	key := make([]byte, keyBytes)
	text := bytes.TrimSpace(b)
	if len(text) != 2*keyBytes {
		return nil, fmt.Errorf("%w: the device key %s is malformed", ErrLocked, d.path)
	}
	if _, err := hex.Decode(key, text); err != nil {
		return nil, fmt.Errorf("%w: the device key %s is malformed", ErrLocked, d.path)
	}
	return key, nil
}
