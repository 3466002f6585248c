package proxy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/service"
	"mpinlab/sim/wire"
)

// Remote is the API's server reached over HTTP, with its service token.
type Remote struct {
	// URL is the API's, Storage its timePermitsStorageURL, both without a
	// slash at the end.
	URL, Storage string
	Token        string
	Transport    http.RoundTripper // nil is service.Caller's
}

var (
	_ Applications = (*Remote)(nil)
	_ Storage      = (*Remote)(nil)
)

// Application asks the API for an application. Errors:
// wire.ErrApplication, those of
// service.Caller.
func (c *Remote) Application(ctx context.Context, appID string) (*wire.Application, error) {
	var a wire.Application
	err := c.do(ctx, http.MethodGet, c.URL+"/applications/"+appID, "", &a)
	var status *service.StatusError
	if errors.As(err, &status) && status.Status == http.StatusNotFound {
		return nil, wire.ErrApplication
	}
	if err != nil {
		return nil, fmt.Errorf("the API: %w", err)
	}
	return &a, nil
}

// PutPermit publishes a permit. Errors: those of service.Caller.
func (c *Remote) PutPermit(ctx context.Context, appID string, date protocol.Date, storageID, permit string) error {
	err := c.do(ctx, http.MethodPut, c.Storage+"/"+appID+"/"+strconv.Itoa(int(date))+"/"+storageID, permit, nil)
	if err != nil {
		return fmt.Errorf("the storage: %w", err)
	}
	return nil
}

func (c *Remote) do(ctx context.Context, method, url, body string, v any) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return service.ErrUnreachable
	}
	req.Header.Set("Authorization", "Bearer "+c.Token)
	if id := service.RequestID(ctx); id != "" {
		req.Header.Set("X-Request-Id", id)
	}
	call := service.Caller{Transport: c.Transport}
	return call.Do(req, v)
}
