package dta

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"mpinlab/protocol"
	"mpinlab/protocol/threshold"
	"mpinlab/sim/wire"
)

// Keystore keeps a D-TA's secrets, one for each application, under the
// application's ID. What it keeps is opaque to it, secret, and shorter than
// 8 KB for up to 100 D-TAs.
type Keystore interface {
	// Load returns the secret of a name.
	Load(ctx context.Context, name string) ([]byte, error)
	// Create keeps the secret of a name, durably when it returns. It never
	// overwrites one: a share that is lost cannot be had again.
	Create(ctx context.Context, name string, secret []byte) error
	// Names lists what is kept.
	Names(ctx context.Context) ([]string, error)
}

// ErrKeystore: what a keystore returned is not this D-TA's share.
var ErrKeystore = errors.New("not a share of this D-TA")

// Application is one that a D-TA serves: how its requests are signed, and the
// share that it is issued from.
type Application struct {
	ID, Key string
	Issuer  Issuer
}

// NewApplication draws a D-TA's share of a new application's master secret, in
// an additive deployment. It draws from random, or from the system's source
// where random is nil.
func NewApplication(s *protocol.Suite, index int, appID, appKey string, random io.Reader) (*Application, error) {
	m, err := s.NewMasterSecret(random)
	if err != nil {
		return nil, fmt.Errorf("master secret: %w", err)
	}
	i, err := Additive(index, m)
	if err != nil {
		return nil, err
	}
	return &Application{appID, appKey, i}, nil
}

// stored is what a keystore keeps.
type stored struct {
	Version int    `json:"version"`
	Suite   string `json:"suite"`
	AppID   string `json:"app_id"`
	AppKey  string `json:"app_key"`
	Index   int    `json:"dta"`
	Share   []byte `json:"share"`
	Group   []byte `json:"group,omitempty"` // of a threshold deployment
}

func (a *additive) encode() stored { return stored{Share: a.master.Bytes()} }

func (s *shared) encode() stored {
	return stored{Share: s.share.Bytes(), Group: s.share.Group().Bytes()}
}

// Bytes returns the application's share and key, both secret, for a Keystore.
func (a *Application) Bytes() ([]byte, error) {
	r := a.Issuer.encode()
	r.Version, r.AppID, r.AppKey, r.Index = 1, a.ID, a.Key, a.Issuer.Index()
	r.Suite = a.Issuer.Key().Suite().ID().String()
	return json.Marshal(r)
}

// DecodeApplication reads what Bytes wrote. Error: ErrKeystore, whose text
// quotes nothing of it.
func DecodeApplication(s *protocol.Suite, b []byte) (*Application, error) {
	var r stored
	if err := json.Unmarshal(b, &r); err != nil || r.Version != 1 {
		return nil, fmt.Errorf("%w: not in the form that is known", ErrKeystore)
	}
	if r.Suite != s.ID().String() {
		return nil, fmt.Errorf("%w: it is of suite %s, not %s", ErrKeystore, r.Suite, s.ID())
	}
	a := &Application{ID: r.AppID, Key: r.AppKey}
	if err := a.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeystore, err)
	}
	if r.Group == nil {
		m, err := s.DecodeMasterSecret(r.Share)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrKeystore, err)
		}
		if a.Issuer, err = Additive(r.Index, m); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrKeystore, err)
		}
		return a, nil
	}
	g, err := threshold.DecodeGroup(s, r.Group)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeystore, err)
	}
	share, err := g.DecodeShare(r.Share)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeystore, err)
	}
	if share.Index() != r.Index {
		return nil, fmt.Errorf("%w: it is of D-TA %d, not %d", ErrKeystore, share.Index(), r.Index)
	}
	a.Issuer = Shared(share)
	return a, nil
}

func (a *Application) check() error {
	if err := wire.CheckAppID(a.ID); err != nil {
		return err
	}
	if a.Key == "" || len(a.Key) > wire.MaxApplication {
		return fmt.Errorf("%w: an application's key of %d bytes, not 1 to %d", wire.ErrMalformed, len(a.Key), wire.MaxApplication)
	}
	return nil
}

// Save keeps an application in a keystore.
func (a *Application) Save(ctx context.Context, k Keystore) error {
	b, err := a.Bytes()
	if err != nil {
		return fmt.Errorf("keeping application %s: %w", a.ID, err)
	}
	defer clear(b)
	if err := k.Create(ctx, a.ID, b); err != nil {
		return fmt.Errorf("keeping application %s: %w", a.ID, err)
	}
	return nil
}

// LoadApplications returns all applications of a keystore. It fails as a whole
// if one of them cannot be read. Errors: the keystore's, ErrKeystore.
func LoadApplications(ctx context.Context, s *protocol.Suite, k Keystore) ([]*Application, error) {
	names, err := k.Names(ctx)
	if err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	list := make([]*Application, 0, len(names))
	for _, n := range names {
		b, err := k.Load(ctx, n)
		if err != nil {
			return nil, fmt.Errorf("application %s: %w", n, err)
		}
		a, err := DecodeApplication(s, b)
		clear(b)
		if err != nil {
			return nil, fmt.Errorf("application %s: %w", n, err)
		}
		if a.ID != n {
			return nil, fmt.Errorf("application %s: %w: it is of %s", n, ErrKeystore, a.ID)
		}
		list = append(list, a)
	}
	return list, nil
}
