package seal

import (
	"bytes"
	"context"
)

// none stores secrets in clear. The checksum of the sealed form finds damage,
// nothing here finds intent.
type none struct{}

var _ Sealer = (*none)(nil)

func (*none) Seal(ctx context.Context, label string, secret []byte) ([]byte, error) {
	if err := checkInput(label, secret); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return joinEnvelope(newHeader(KindNone, label, nil), secret), nil
}

func (*none) Open(ctx context.Context, label string, sealed []byte) ([]byte, error) {
	e, err := openEnvelope(KindNone, label, sealed)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := checkInput(e.label, e.body); err != nil {
		return nil, err
	}
	if err := e.forLabel(label); err != nil {
		return nil, err
	}
	return bytes.Clone(e.body), nil
}

func (*none) Describe() string { return "none: in clear, for demonstrations only" }

func (*none) Close() error { return nil }
