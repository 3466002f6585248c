package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/wire"
)

// State is how far an identity has come.
type State string

// The states of an identity.
const (
	// StatePending: registered; it has no token yet.
	StatePending State = "pending"
	// StateActive: it has a token.
	StateActive State = "active"
	// StateBlocked: it used its attempts up. Registering again is the way on.
	StateBlocked State = "blocked"
)

// Identity is one user on one device since one registration. Its methods are
// safe for concurrent use, and so are logins with it; the fields are changed by
// the functions that say so, which must not run beside others.
type Identity struct {
	// MpinID is the identity's name at the deployment, hex.
	MpinID string
	// UserID and DeviceName are what the user registered as.
	UserID, DeviceName string
	Mobile             bool
	// Server is the deployment's base address and Suite its suite's name.
	Server, Suite string
	State         State
	// RegOTT shows that a pending registration is this client's; it is a
	// secret. Expires is when the registration does, by the client's clock.
	RegOTT  string `json:"-"`
	Expires time.Time
	// Token is s·A − PIN·A in the suite's encoding.
	Token []byte `json:"-"`
	// Announced says that the deployment was told that setup is done.
	Announced bool

	mu     sync.Mutex
	permit *permitShare
	point  *protocol.Identity
	token  *readToken
	turn   chan struct{} // held by the login that is between its passes
}

// readToken is a token as a point, with what it was read from.
type readToken struct {
	suite *protocol.Suite
	bytes []byte
	token *protocol.Token
}

// record is an Identity as a wallet keeps it. A field that lets a PIN be tested
// must never be added; see the package's doc.
type record struct {
	MpinID     string       `json:"mpinId"`
	UserID     string       `json:"userId"`
	DeviceName string       `json:"deviceName,omitempty"`
	Mobile     bool         `json:"mobile,omitempty"`
	Server     string       `json:"server"`
	Suite      string       `json:"suite"`
	State      State        `json:"state"`
	RegOTT     string       `json:"regOTT,omitempty"`
	Expires    *time.Time   `json:"expires,omitempty"`
	Token      string       `json:"token,omitempty"`
	Announced  bool         `json:"announced,omitempty"`
	Permit     *permitShare `json:"permit,omitempty"`
}

// Record writes the identity as a wallet keeps it, in JSON: with its token, which
// is a secret, and without its PIN, which it does not have.
func (id *Identity) Record() ([]byte, error) {
	id.mu.Lock()
	defer id.mu.Unlock()
	r := record{
		MpinID: id.MpinID, UserID: id.UserID, DeviceName: id.DeviceName, Mobile: id.Mobile,
		Server: id.Server, Suite: id.Suite, State: id.State, RegOTT: id.RegOTT,
		Token: hexOf(id.Token), Announced: id.Announced, Permit: id.permit,
	}
	if !id.Expires.IsZero() {
		t := id.Expires.UTC()
		r.Expires = &t
	}
	return json.Marshal(r)
}

// ReadRecord reads what Record wrote. It checks forms and bounds; whether the
// token is a point shows when it is used. Error: ErrDamaged.
func ReadRecord(b []byte) (*Identity, error) {
	var r record
	if err := decode(b, &r); err != nil {
		return nil, fmt.Errorf("%w: an identity is malformed", ErrDamaged)
	}
	if _, err := wire.ParseIdentity(r.MpinID); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if _, err := protocol.ParseSuiteID(r.Suite); err != nil {
		return nil, fmt.Errorf("%w: an identity names no suite", ErrDamaged)
	}
	token, err := fromHex(r.Token, wire.MaxPoint)
	if err != nil {
		return nil, fmt.Errorf("%w: a token is malformed", ErrDamaged)
	}
	if err := checkOTT(r.RegOTT); r.RegOTT != "" && err != nil {
		return nil, fmt.Errorf("%w: regOTT: %w", ErrDamaged, err)
	}
	switch {
	case r.State == StatePending && r.RegOTT != "" && r.Token == "":
	case (r.State == StateActive || r.State == StateBlocked) && r.Token != "":
	default:
		return nil, fmt.Errorf("%w: an identity's state does not fit what it has", ErrDamaged)
	}
	if r.Permit != nil {
		if err := r.Permit.check(); err != nil {
			return nil, fmt.Errorf("%w: a permit is malformed", ErrDamaged)
		}
	}
	id := &Identity{
		MpinID: r.MpinID, UserID: r.UserID, DeviceName: r.DeviceName, Mobile: r.Mobile,
		Server: r.Server, Suite: r.Suite, State: r.State, RegOTT: r.RegOTT,
		Token: token, Announced: r.Announced, permit: r.Permit,
	}
	if r.Expires != nil {
		id.Expires = *r.Expires
	}
	return id, nil
}

// String names the user and the server, and no secret.
func (id *Identity) String() string { return id.UserID + " at " + id.Server }

// hashed returns the identity's point in the suite, which it keeps.
func (id *Identity) hashed(s *protocol.Suite) (*protocol.Identity, error) {
	id.mu.Lock()
	defer id.mu.Unlock()
	if id.point != nil && id.point.Suite().Same(s) {
		return id.point, nil
	}
	raw, err := wire.RawIdentity(id.MpinID)
	if err != nil {
		return nil, err
	}
	point, err := s.Identity(raw)
	if err != nil {
		return nil, err
	}
	id.point = point
	return point, nil
}

// usable tells whether there is a token, and of this suite.
func (id *Identity) usable(s *protocol.Suite) error {
	if id.State == StatePending || len(id.Token) == 0 {
		return fmt.Errorf("%w: %s has no token yet", ErrState, id)
	}
	if id.Suite != s.ID().String() {
		return fmt.Errorf("%w: the token is of %s and the service of %s", ErrSuite, id.Suite, s.ID())
	}
	return nil
}

// decodedToken returns the token as a point, which it keeps: reading it takes a
// square root and a test of its order. It is as secret as the field Token, and
// lies in the same memory.
func (id *Identity) decodedToken(s *protocol.Suite) (*protocol.Token, error) {
	id.mu.Lock()
	defer id.mu.Unlock()
	if t := id.token; t != nil && t.suite.Same(s) && bytes.Equal(t.bytes, id.Token) {
		return t.token, nil
	}
	token, err := s.DecodeToken(id.Token)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	id.token = &readToken{s, bytes.Clone(id.Token), token}
	return token, nil
}

// secret puts the PIN back into the token.
func (id *Identity) secret(s *protocol.Suite, pin *PIN) (*protocol.Identity, *protocol.ClientSecret, error) {
	if err := id.usable(s); err != nil {
		return nil, nil, err
	}
	point, err := id.hashed(s)
	if err != nil {
		return nil, nil, err
	}
	token, err := id.decodedToken(s)
	if err != nil {
		return nil, nil, err
	}
	factor, err := pin.factor(s)
	if err != nil {
		return nil, nil, err
	}
	secret, err := token.Secret(point, factor)
	return point, secret, err
}
