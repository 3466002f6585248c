package client

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

const (
	walletFormat = "mpin-wallet"
	// walletVersion grows when an older program could not read what is
	// written.
	walletVersion = 1
	// maxIdentities is how many identities a wallet holds.
	maxIdentities = 1000
)

// walletFile is what is in the vault.
type walletFile struct {
	Format     string            `json:"format"`
	Version    int               `json:"version"`
	Identities []json.RawMessage `json:"identities"`
}

// Wallet is a device's identities. It is safe for concurrent use, and several
// processes may have the same vault open.
type Wallet struct{ vault Vault }

// NewWallet returns the wallet in a vault.
func NewWallet(v Vault) *Wallet { return &Wallet{v} }

// parseWallet reads a wallet's bytes; none are an empty wallet. Error:
// ErrDamaged.
func parseWallet(b []byte) ([]*Identity, error) {
	if len(b) == 0 {
		return nil, nil
	}
	if len(b) > MaxVault {
		return nil, fmt.Errorf("%w: %d bytes", ErrDamaged, len(b))
	}
	var f walletFile
	if err := decode(b, &f); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	switch {
	case f.Format != walletFormat:
		return nil, fmt.Errorf("%w: not a wallet", ErrDamaged)
	case f.Version != walletVersion:
		return nil, fmt.Errorf("%w: a wallet of version %d; this program knows version %d", ErrDamaged, f.Version, walletVersion)
	case len(f.Identities) > maxIdentities:
		return nil, fmt.Errorf("%w: %d identities", ErrDamaged, len(f.Identities))
	}
	seen := make(map[string]bool, len(f.Identities))
	var ids []*Identity
	for _, r := range f.Identities {
		id, err := ReadRecord(r)
		clear(r)
		if err != nil {
			return nil, err
		}
		if seen[id.MpinID] {
			return nil, fmt.Errorf("%w: an identity is there twice", ErrDamaged)
		}
		seen[id.MpinID] = true
		ids = append(ids, id)
	}
	return ids, nil
}

func formatWallet(ids []*Identity) ([]byte, error) {
	if len(ids) > maxIdentities {
		return nil, fmt.Errorf("%w: a wallet holds %d identities", ErrState, maxIdentities)
	}
	f := walletFile{Format: walletFormat, Version: walletVersion, Identities: []json.RawMessage{}}
	for _, id := range ids {
		r, err := id.Record()
		if err != nil {
			return nil, err
		}
		f.Identities = append(f.Identities, r)
	}
	b, err := json.Marshal(f)
	for _, r := range f.Identities {
		clear(r)
	}
	return b, err
}

// List returns the identities in the order in which they came. Errors: those of
// [Vault.Load].
func (w *Wallet) List(ctx context.Context) ([]*Identity, error) {
	b, err := w.vault.Load(ctx)
	if err != nil {
		return nil, err
	}
	defer clear(b)
	return parseWallet(b)
}

// Find returns a user's identity at a server, the latest if there are several.
// An empty user finds the server's only one. Errors: ErrNotFound, also if an
// empty user could be several; those of List.
func (w *Wallet) Find(ctx context.Context, server, user string) (*Identity, error) {
	ids, err := w.List(ctx)
	if err != nil {
		return nil, err
	}
	var found *Identity
	for _, id := range ids {
		if id.Server != server || user != "" && id.UserID != user {
			continue
		}
		if found != nil && found.UserID != id.UserID {
			return nil, fmt.Errorf("%w: there are several at %s; say which user", ErrNotFound, server)
		}
		found = id
	}
	if found == nil {
		if user == "" {
			return nil, fmt.Errorf("%w: none at %s", ErrNotFound, server)
		}
		return nil, fmt.Errorf("%w: %s at %s", ErrNotFound, user, server)
	}
	return found, nil
}

// Put stores an identity, in the place of the one with its MpinID or of those
// whose MpinIDs are given, or behind all others. It is durable when it returns.
// Errors: those of [Vault.Update].
func (w *Wallet) Put(ctx context.Context, id *Identity, replaced ...string) error {
	gone := append([]string{id.MpinID}, replaced...)
	return w.change(ctx, func(ids []*Identity) ([]*Identity, error) {
		placed := false
		kept := ids[:0]
		for _, old := range ids {
			switch {
			case !slices.Contains(gone, old.MpinID):
				kept = append(kept, old)
			case !placed:
				kept, placed = append(kept, id), true
			}
		}
		if !placed {
			kept = append(kept, id)
		}
		return kept, nil
	})
}

// Delete removes an identity, and so its token. Error: ErrNotFound, those of
// [Vault.Update].
func (w *Wallet) Delete(ctx context.Context, mpinID string) error {
	return w.change(ctx, func(ids []*Identity) ([]*Identity, error) {
		for i, id := range ids {
			if id.MpinID == mpinID {
				return slices.Delete(ids, i, i+1), nil
			}
		}
		return nil, ErrNotFound
	})
}

func (w *Wallet) change(ctx context.Context, f func([]*Identity) ([]*Identity, error)) error {
	return w.vault.Update(ctx, func(old []byte) ([]byte, error) {
		ids, err := parseWallet(old)
		if err != nil {
			return nil, err
		}
		if ids, err = f(ids); err != nil {
			return nil, err
		}
		return formatWallet(ids)
	})
}
