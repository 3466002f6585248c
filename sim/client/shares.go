package client

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mpinlab/protocol"
	"mpinlab/protocol/threshold"
	"mpinlab/sim/wire"
)

// readKeys takes the D-TAs' keys from the options or the settings.
func (c *Client) readKeys() error {
	published, t := c.opt.ShareKeys, c.opt.Threshold
	if len(published) == 0 {
		published, t = c.settings.ShareKeys, c.settings.Threshold
	}
	if len(published) == 0 {
		return nil
	}
	if len(published) > wire.MaxMembers || t < 0 || t > len(published) {
		return nonsense(StepSettings, "%d D-TAs of which %d issue", len(published), t)
	}
	c.threshold = t
	c.keys = make(map[int]*protocol.ShareKey, len(published))
	for _, k := range published {
		if k.DTA < 1 || k.DTA > wire.MaxMembers || c.keys[k.DTA] != nil {
			return nonsense(StepSettings, "D-TA %d is out of range or there twice", k.DTA)
		}
		raw, err := fromHex(k.Key, wire.MaxPoint)
		if err != nil {
			return nonsense(StepSettings, "key of D-TA %d: %w", k.DTA, err)
		}
		if c.keys[k.DTA], err = c.suite.DecodeShareKey(raw); err != nil {
			return nonsense(StepSettings, "key of D-TA %d: %w", k.DTA, err)
		}
	}
	return nil
}

// set returns which D-TAs issued the given shares, if that is one that may: all
// D-TAs, or as many as the threshold says.
func (c *Client) set(shares []wire.ProvedShare) ([]int, error) {
	var set []int
	for _, s := range shares {
		if c.keys[s.DTA] == nil {
			return nil, &ShareError{s.DTA, errors.New("no such D-TA")}
		}
		if slices.Contains(set, s.DTA) {
			return nil, &ShareError{s.DTA, errors.New("two shares")}
		}
		set = append(set, s.DTA)
	}
	slices.Sort(set)
	if c.threshold == 0 {
		for dta := range c.keys {
			if !slices.Contains(set, dta) {
				return nil, &ShareError{dta, errors.New("no share with a proof")}
			}
		}
	} else if len(set) != c.threshold {
		return nil, fmt.Errorf("%w: proofs of %d D-TAs, not of %d", ErrBadShare, len(set), c.threshold)
	}
	return set, nil
}

// key returns the key to what a D-TA issues as one of a set.
func (c *Client) key(dta int, set []int) (*protocol.ShareKey, error) {
	k := c.keys[dta]
	if k == nil || c.threshold == 0 {
		return k, nil
	}
	return threshold.AdditiveKey(k, dta, set)
}

// clientSecret makes the client secret of the two halves that were fetched.
// With keys it is made of the proven shares alone, whatever the halves say.
func (c *Client) clientSecret(id *protocol.Identity, rps *wire.SignatureAnswer, dta *wire.ClientSecretAnswer) (*protocol.ClientSecret, error) {
	var parts []*protocol.ClientSecret
	if c.keys == nil {
		for _, half := range []struct{ name, text string }{
			{"clientSecretShare", rps.ClientSecretShare}, {"clientSecret", dta.ClientSecret},
		} {
			p, err := c.decodeShare(half.text)
			if err != nil {
				return nil, fmt.Errorf("%w: %s: %w", ErrBadShare, half.name, err)
			}
			parts = append(parts, p)
		}
		return combine(parts)
	}
	shares := slices.Concat(rps.Shares, dta.Shares)
	set, err := c.set(shares)
	if err != nil {
		return nil, err
	}
	for _, s := range shares {
		p, err := c.checkShare(id, s, set)
		if err != nil {
			return nil, &ShareError{s.DTA, err}
		}
		parts = append(parts, p)
	}
	return combine(parts)
}

func combine(parts []*protocol.ClientSecret) (*protocol.ClientSecret, error) {
	secret, err := protocol.CombineClientSecrets(parts...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadShare, err)
	}
	return secret, nil
}

func (c *Client) decodeShare(text string) (*protocol.ClientSecret, error) {
	raw, err := fromHex(text, wire.MaxPoint)
	if err != nil {
		return nil, err
	}
	defer clear(raw)
	return c.suite.DecodeClientSecret(raw)
}

func (c *Client) checkShare(id *protocol.Identity, s wire.ProvedShare, set []int) (*protocol.ClientSecret, error) {
	p, err := c.decodeShare(s.Share)
	if err != nil {
		return nil, err
	}
	proof, err := fromHex(s.Proof, wire.MaxPoint)
	if err != nil {
		return nil, fmt.Errorf("proof: %w", err)
	}
	key, err := c.key(s.DTA, set)
	if err != nil {
		return nil, err
	}
	return p, key.VerifyClientShare(id, p, proof)
}

// checkPermitShares checks a half of a permit against its D-TAs' shares and
// these against their keys: the half is their sum, so that it may be used as it
// is. set are all D-TAs that issue this permit.
func (c *Client) checkPermitShares(id *protocol.Identity, half *protocol.Permit, shares []wire.ProvedShare, set []int) error {
	var parts []*protocol.Permit
	for _, s := range shares {
		err := func() error {
			if !slices.Contains(set, s.DTA) {
				return errors.New("not one of those that issue this permit")
			}
			raw, err := fromHex(s.Share, wire.MaxPoint)
			if err != nil {
				return err
			}
			proof, err := fromHex(s.Proof, wire.MaxPoint)
			if err != nil {
				return fmt.Errorf("proof: %w", err)
			}
			p, err := c.suite.DecodePermit(half.Date(), raw)
			if err != nil {
				return err
			}
			key, err := c.key(s.DTA, set)
			if err != nil {
				return err
			}
			if key == nil {
				return errors.New("no such D-TA")
			}
			parts = append(parts, p)
			return key.VerifyPermitShare(id, p, proof)
		}()
		if err != nil {
			return &ShareError{s.DTA, err}
		}
	}
	sum, err := protocol.CombinePermits(parts...)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadShare, err)
	}
	if !slices.Equal(sum.Bytes(), half.Bytes()) {
		return fmt.Errorf("%w: a half of the permit is not the sum of its shares", ErrBadShare)
	}
	return nil
}

// fromHex reads at most limit hex digits. Errors quote nothing.
func fromHex(text string, limit int) ([]byte, error) {
	if len(text) > limit {
		return nil, fmt.Errorf("%d hex digits, more than %d", len(text), limit)
	}
	b, err := hex.DecodeString(text)
	if err != nil {
		return nil, errors.New("malformed hex")
	}
	return b, nil
}

// maxOTT bounds the one-time tokens of servers, which are of 32 digits.
const maxOTT = 128

// checkOTT accepts what can be a one-time token: printable ASCII, not too long.
func checkOTT(s string) error {
	if s == "" || len(s) > maxOTT {
		return fmt.Errorf("a one-time token of %d bytes", len(s))
	}
	if strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
		return errors.New("a one-time token with odd characters")
	}
	return nil
}
