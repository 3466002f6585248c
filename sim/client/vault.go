package client

import (
	"bytes"
	"context"
	"sync"
)

// MaxVault is the greatest size of a wallet in bytes.
const MaxVault = 4 << 20

// Vault is where a device keeps the bytes of its wallet, so that only this device
// or user can read them. A browser has one over WebCrypto and IndexedDB, a
// command line the file of [OpenFileVault].
type Vault interface {
	// Load returns what is in the vault, nil if nothing was ever put there.
	// The bytes are secret; the caller wipes them. Errors: ErrLocked,
	// ErrDamaged, and those of the medium.
	Load(ctx context.Context) ([]byte, error)
	// Update puts f's result in the place of what is in the vault. No other
	// Update comes between, not from another process or tab either, and when
	// it returns without an error the result is there to stay. If f fails,
	// nothing changes and its error is returned. f may be called again. Both
	// slices are wiped afterwards.
	Update(ctx context.Context, f func(old []byte) ([]byte, error)) error
}

// NewMemoryVault returns a vault that ends with the process and encrypts nothing.
func NewMemoryVault() Vault { return new(memoryVault) }

type memoryVault struct {
	mu sync.Mutex
	b  []byte
}

func (m *memoryVault) Load(context.Context) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return bytes.Clone(m.b), nil
}

func (m *memoryVault) Update(_ context.Context, f func([]byte) ([]byte, error)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := bytes.Clone(m.b)
	defer clear(old)
	b, err := f(old)
	if err != nil {
		return err
	}
	clear(m.b)
	m.b = bytes.Clone(b)
	clear(b)
	return nil
}
