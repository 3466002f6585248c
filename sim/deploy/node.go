package deploy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"mpinlab/sim/wire"
)

// Role is what a server of a deployment does.
type Role string

// The roles. A balancer and a Redis server stand in a deployment too, and are
// nodes like the others.
const (
	RoleAll      Role = "all" // every role in one process
	RoleDTA      Role = "dta"
	RoleProxy    Role = "proxy"
	RoleAPI      Role = "api"
	RoleRPS      Role = "rps"
	RoleRPA      Role = "rpa"
	RoleBalancer Role = "balancer"
	RoleRedis    Role = "redis"
)

var (
	// ErrUnsupported: what this kind of node cannot do.
	ErrUnsupported = errors.New("not possible with this node")
	// ErrRunning and ErrNotRunning: the node is not in the state for it.
	ErrRunning    = errors.New("already running")
	ErrNotRunning = errors.New("not running")
	// ErrNotReady: the node did not become ready; the cause is wrapped.
	ErrNotReady = errors.New("not ready")
)

// Node is one server of a deployment, in this process or as one of its own. It
// keeps its name and addresses over any number of starts. All methods are safe
// for concurrent use; those that change its state take turns.
type Node interface {
	// Name is like "rps-2", Role like RoleRPS.
	Name() string
	Role() Role
	// URL is the base of its (public) listener, PrivateURL of the private one,
	// empty where there is none. Redis has its redis:// URL.
	URL() string
	PrivateURL() string
	// PID is the process it runs in, 0 when it does not run.
	PID() int

	// Start starts it and does not wait. Error: ErrRunning.
	Start(ctx context.Context) error
	// Ready waits until it answers that it is. Errors: ErrNotReady, also when
	// it has ended; ctx's.
	Ready(ctx context.Context) error
	// Stop lets it end in good order: it drains what it has begun. When ctx
	// ends before, it is killed.
	Stop(ctx context.Context) error
	// Kill ends it at once, as kill -9 does: in a process of its own it is
	// kill -9; in this process its listeners, connections and store are closed
	// without draining.
	Kill() error
	// Pause and Continue stop and continue the process (SIGSTOP, SIGCONT).
	// Error: ErrUnsupported for nodes in this process.
	Pause() error
	Continue() error
	// Restart is Stop, if it runs, then Start and Ready.
	Restart(ctx context.Context) error
	// Replace is Restart with a changed configuration at the same addresses:
	// another machine in the place of this one.
	Replace(ctx context.Context, change func(*Config)) error
	// Logs returns the end of what it has logged over all its starts.
	Logs() []byte
}

// pollReady asks a /status until it answers 200, ctx ends or ended is closed.
func pollReady(ctx context.Context, client *http.Client, url string, ended <-chan struct{}, why func() error) error {
	delay := time.Millisecond
	var last error
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+wire.StatusPath, nil)
		if err != nil {
			return err
		}
		answer, err := client.Do(request)
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("status %d", answer.StatusCode)
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ended:
			return fmt.Errorf("%w: it has ended: %w", ErrNotReady, why())
		case <-ctx.Done():
			return fmt.Errorf("%w: %w, last %v", ErrNotReady, ctx.Err(), last)
		case <-time.After(delay):
		}
		delay = min(2*delay, 50*time.Millisecond)
	}
}

// turn serialises what changes a node's state.
type turn struct{ mu sync.Mutex }

func (t *turn) take() func() {
	t.mu.Lock()
	return t.mu.Unlock
}
