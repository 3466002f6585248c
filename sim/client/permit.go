package client

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"mpinlab/protocol"
	"mpinlab/sim/client/internal/http"
	"mpinlab/sim/wire"
)

// permitShare is a permit as an identity keeps it: for one day, in the halves in
// which it came, checked if they came with proofs.
type permitShare struct {
	Date      int    `json:"date"`
	StorageID string `json:"storageId"`
	// First is the RPS's half and Second the other, in hex.
	First  string `json:"first"`
	Second string `json:"second"`
	// Doubted: a login with it failed. The next one gets its second half from
	// a D-TA and not from storage.
	Doubted bool `json:"doubted,omitempty"`

	// sum is both halves as a point of the suite of, once it was needed.
	sum *protocol.Permit
	of  *protocol.Suite
}

// read returns the sum of both halves. It does not change p.
func (p *permitShare) read(c *Client) (*protocol.Permit, error) {
	if p.sum != nil && c.suite.Same(p.of) {
		return p.sum, nil
	}
	date, err := dateOf(p.Date)
	if err != nil {
		return nil, err
	}
	first, err := c.decodePermit(date, p.First)
	if err != nil {
		return nil, err
	}
	second, err := c.decodePermit(date, p.Second)
	if err != nil {
		return nil, err
	}
	return protocol.CombinePermits(first, second)
}

func (p *permitShare) check() error {
	if len(p.StorageID) > 2*maxOTT {
		return errors.New("long storage ID")
	}
	for _, half := range []string{p.First, p.Second} {
		if _, err := fromHex(half, wire.MaxPoint); err != nil {
			return err
		}
	}
	_, err := dateOf(p.Date)
	return err
}

func dateOf(days int) (protocol.Date, error) {
	d := protocol.Date(days)
	if d <= 0 || int(d) != days {
		return 0, fmt.Errorf("%w: %d", protocol.ErrDate, days)
	}
	return d, nil
}

// Permit returns the identity's time permit for the day that the deployment's
// clock says, nil where the suite has none. The RPS gives one half. The other
// comes from what the identity has from an earlier login of that day, from
// storage, or from a D-TA. Errors: ErrRevoked, ErrBadShare, ErrServer,
// ErrUnreachable, ErrBusy.
func (c *Client) Permit(ctx context.Context, id *Identity) (*protocol.Permit, error) {
	if !c.suite.ID().TimePermits() {
		return nil, nil
	}
	point, err := id.hashed(c.suite)
	if err != nil {
		return nil, err
	}
	permit, err := c.permit(ctx, id, point)
	if errors.Is(err, errOtherDay) {
		permit, err = c.permit(ctx, id, point)
	}
	return permit, err
}

// errOtherDay: midnight passed between the two halves.
var errOtherDay = fmt.Errorf("%w: halves of a permit for two days", ErrServer)

func (c *Client) permit(ctx context.Context, id *Identity, point *protocol.Identity) (*protocol.Permit, error) {
	var half wire.PermitHalfAnswer
	_, err := c.do(ctx, &request{
		step: StepTimePermit, method: http.MethodGet, url: c.links.permit.JoinPath(id.MpinID), out: &half, again: true,
		kinds: map[int]error{
			http.StatusUnauthorized: ErrRevoked, http.StatusForbidden: ErrRevoked, http.StatusGone: ErrRevoked,
			http.StatusBadRequest: ErrUnknownIdentity, http.StatusNotFound: ErrUnknownIdentity,
		},
		public: func() map[string]string { return map[string]string{"date": strconv.Itoa(half.Date)} },
	})
	if err != nil {
		return nil, err
	}
	date, err := dateOf(half.Date)
	if err != nil {
		return nil, nonsense(StepTimePermit, "%w", err)
	}
	if len(half.StorageID) > 2*maxOTT || len(half.Signature) > 2*maxOTT {
		return nil, nonsense(StepTimePermit, "long identifiers")
	}
	id.mu.Lock()
	kept := id.permit
	id.mu.Unlock()
	fresh := kept == nil || kept.Date != half.Date || kept.StorageID != half.StorageID
	if !fresh && !kept.Doubted && kept.First == half.TimePermit {
		// The same as before, which was checked then.
		if sum, err := kept.read(c); err == nil {
			id.keep(kept, sum, c.suite)
			return sum, nil
		}
	}
	first, err := c.decodePermit(date, half.TimePermit)
	if err != nil {
		return nil, nonsense(StepTimePermit, "%w", err)
	}
	if fresh || kept.First != half.TimePermit {
		if err := c.checkFirst(point, first, &half); err != nil {
			return nil, err
		}
	}
	if !fresh && !kept.Doubted {
		if second, err := c.decodePermit(date, kept.Second); err == nil {
			return protocol.CombinePermits(first, second)
		}
	}
	doubted := kept != nil && kept.Doubted
	second, err := c.secondHalf(ctx, id, point, date, &half, doubted)
	if err != nil {
		return nil, err
	}
	sum, err := protocol.CombinePermits(first, second)
	if err != nil {
		return nil, nonsense(StepTimePermit, "%w", err)
	}
	id.mu.Lock()
	id.permit = &permitShare{
		Date: half.Date, StorageID: half.StorageID, First: half.TimePermit, Second: hexOf(second.Bytes()), sum: sum, of: c.suite,
	}
	id.mu.Unlock()
	return sum, nil
}

// keep puts p with its sum in the place of p, if that is still what the identity
// has.
func (id *Identity) keep(p *permitShare, sum *protocol.Permit, s *protocol.Suite) {
	id.mu.Lock()
	defer id.mu.Unlock()
	if id.permit == p && p.sum == nil {
		q := *p
		q.sum, q.of = sum, s
		id.permit = &q
	}
}

// doubt has the next login get its permit anew: the last one may have failed for
// a wrong half.
func (id *Identity) doubt() {
	id.mu.Lock()
	defer id.mu.Unlock()
	if id.permit != nil {
		p := *id.permit
		p.Doubted = true
		id.permit = &p
	}
}

func (c *Client) decodePermit(date protocol.Date, text string) (*protocol.Permit, error) {
	defer c.traceNow(StepComputePermit)()
	raw, err := fromHex(text, wire.MaxPoint)
	if err != nil {
		return nil, err
	}
	return c.suite.DecodePermit(date, raw)
}

// permitSet returns the D-TAs that issue a permit: those that its storage ID
// names, else the lowest-numbered ones.
func (c *Client) permitSet(half *wire.PermitHalfAnswer) ([]int, error) {
	_, text := wire.SplitSignature(half.StorageID)
	set, err := wire.ParseSet(text)
	if err != nil {
		return nil, nonsense(StepTimePermit, "%w", err)
	}
	if len(set) == 0 {
		for dta := range c.keys {
			set = append(set, dta)
		}
		slices.Sort(set)
		if c.threshold > 0 {
			set = set[:c.threshold]
		}
	}
	if c.threshold > 0 && len(set) != c.threshold {
		return nil, nonsense(StepTimePermit, "a permit of %d D-TAs, not of %d", len(set), c.threshold)
	}
	return set, nil
}

// checkFirst checks the RPS's half, if there are keys to check it with.
func (c *Client) checkFirst(point *protocol.Identity, first *protocol.Permit, half *wire.PermitHalfAnswer) error {
	if c.keys == nil {
		return nil
	}
	defer c.traceNow(StepComputePermit)()
	set, err := c.permitSet(half)
	if err != nil {
		return err
	}
	return c.checkPermitShares(point, first, half.Shares, set)
}

// secondHalf gets the other half from storage or, if it is not there or was
// wrong before, from a D-TA. What storage has comes without proof.
func (c *Client) secondHalf(ctx context.Context, id *Identity, point *protocol.Identity, date protocol.Date, half *wire.PermitHalfAnswer, direct bool) (*protocol.Permit, error) {
	if !direct && c.links.storage != nil && isName(c.settings.AppID) && isName(half.StorageID) {
		p, err := c.storedPermit(ctx, date, half.StorageID)
		if p != nil || err != nil {
			return p, err
		}
	}
	query := half.Params
	if query == "" {
		query = c.permitQuery(id, half)
	}
	u, err := c.links.certivox.Parse("timePermit?" + strings.TrimPrefix(query, "?"))
	if err != nil || u.Host != c.links.certivox.Host {
		return nil, nonsense(StepTimePermit, "malformed params")
	}
	var other wire.PermitAnswer
	if err := c.get(ctx, StepPermitDTA, u, &other); err != nil {
		return nil, err
	}
	if other.Date != 0 && other.Date != half.Date {
		return nil, errOtherDay
	}
	second, err := c.decodePermit(date, other.TimePermit)
	if err != nil {
		return nil, nonsense(StepPermitDTA, "%w", err)
	}
	if c.keys != nil {
		set, err := c.permitSet(half)
		if err != nil {
			return nil, err
		}
		if err := c.checkPermitShares(point, second, other.Shares, set); err != nil {
			return nil, err
		}
		if issued := slices.Concat(half.Shares, other.Shares); len(issued) != len(set) {
			return nil, fmt.Errorf("%w: a permit of %d shares, not of %d", ErrBadShare, len(issued), len(set))
		}
	}
	return second, nil
}

// permitQuery is the original's request for a permit.
func (c *Client) permitQuery(id *Identity, half *wire.PermitHalfAnswer) string {
	mobile := "0"
	if id.Mobile {
		mobile = "1"
	}
	hash := half.StorageID
	if raw, err := wire.RawIdentity(id.MpinID); err == nil {
		h := wire.HashIdentity(raw)
		hash = hexOf(h[:])
	}
	return url.Values{
		"app_id": {c.settings.AppID}, "mobile": {mobile}, "hash_mpin_id": {hash}, "signature": {half.Signature},
	}.Encode()
}

// isName tells whether a text can be one element of a path: letters, digits and
// hyphens, and dots between them.
func isName(s string) bool {
	for i, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
		case r == '.' && i > 0:
		default:
			return false
		}
	}
	return s != "" && len(s) <= 2*maxOTT
}

// storedPermit returns nil for a miss, which anything but a point is. An error
// means that the context ended.
func (c *Client) storedPermit(ctx context.Context, date protocol.Date, storageID string) (*protocol.Permit, error) {
	at := c.links.storage.JoinPath(c.settings.AppID, strconv.Itoa(int(date)), storageID)
	a, err := c.do(ctx, &request{step: StepPermitStorage, method: http.MethodGet, url: at, limit: 2 * wire.MaxPoint})
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, nil
	}
	p, err := c.decodePermit(date, strings.TrimSpace(string(a.raw)))
	if err != nil {
		return nil, nil
	}
	return p, nil
}
