package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
)

// process is a node in a process of its own. It dies with this one, also when
// this one is killed (on Linux).
type process struct {
	name            string
	role            Role
	url, privateURL string
	// command makes the command for each start; config is what it is made of.
	command func(*Config) (*exec.Cmd, error)
	config  Config
	// ready waits until it answers.
	ready func(ctx context.Context, p *process, ended <-chan struct{}, why func() error) error
	log   *logBuffer

	turn turn
	run  atomic.Pointer[processRun]
}

// processRun is one life of it.
type processRun struct {
	process *os.Process
	ended   chan struct{} // closed when it has been waited for
	err     error         // why it ended, after ended
}

var _ Node = (*process)(nil)

func (p *process) Name() string       { return p.name }
func (p *process) Role() Role         { return p.role }
func (p *process) URL() string        { return p.url }
func (p *process) PrivateURL() string { return p.privateURL }
func (p *process) Logs() []byte       { return p.log.Bytes() }

// living returns the current life, or nil.
func (p *process) living() *processRun {
	r := p.run.Load()
	if r == nil {
		return nil
	}
	select {
	case <-r.ended:
		return nil
	default:
		return r
	}
}

func (p *process) PID() int {
	if r := p.living(); r != nil {
		return r.process.Pid
	}
	return 0
}

func (p *process) Start(ctx context.Context) error {
	defer p.turn.take()()
	return p.start(ctx)
}

func (p *process) start(ctx context.Context) error {
	if p.living() != nil {
		return fmt.Errorf("%s: %w", p.name, ErrRunning)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	cmd, err := p.command(&p.config)
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = p.log, p.log
	dieWithParent(cmd)
	r := &processRun{ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The signal at the parent's death comes at the death of the thread
		// that started the child, so that thread has to stay.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := onCPUs(p.config.CPUs, cmd.Start)
		if err == nil {
			r.process = cmd.Process
		}
		started <- err
		if err != nil {
			return
		}
		r.err = cmd.Wait()
		if r.err == nil {
			r.err = errors.New("exit status 0")
		}
		close(r.ended)
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	p.run.Store(r)
	return nil
}

func (p *process) Ready(ctx context.Context) error {
	r := p.run.Load()
	if r == nil {
		return fmt.Errorf("%s: %w", p.name, ErrNotRunning)
	}
	why := func() error { return fmt.Errorf("%w\n%s", r.err, lastLines(p.log.Bytes(), 5)) }
	if err := p.ready(ctx, p, r.ended, why); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return nil
}

func (p *process) Stop(ctx context.Context) error {
	defer p.turn.take()()
	return p.stop(ctx)
}

func (p *process) stop(ctx context.Context) error {
	r := p.living()
	if r == nil {
		return nil
	}
	if err := terminate(r.process); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	select {
	case <-r.ended:
		return nil
	case <-ctx.Done():
		r.process.Kill()
		<-r.ended
		return fmt.Errorf("%s: killed, for it did not end: %w", p.name, ctx.Err())
	}
}

func (p *process) Kill() error {
	defer p.turn.take()()
	r := p.living()
	if r == nil {
		return nil
	}
	if err := r.process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	<-r.ended
	return nil
}

func (p *process) Pause() error    { return p.signal(pause) }
func (p *process) Continue() error { return p.signal(resume) }

func (p *process) signal(send func(*os.Process) error) error {
	defer p.turn.take()()
	r := p.living()
	if r == nil {
		return fmt.Errorf("%s: %w", p.name, ErrNotRunning)
	}
	return send(r.process)
}

func (p *process) Restart(ctx context.Context) error { return p.Replace(ctx, nil) }

func (p *process) Replace(ctx context.Context, change func(*Config)) error {
	if err := func() error {
		defer p.turn.take()()
		if err := p.stop(ctx); err != nil && ctx.Err() != nil {
			return err
		}
		if change != nil {
			change(&p.config)
		}
		return p.start(ctx)
	}(); err != nil {
		return err
	}
	return p.Ready(ctx)
}

// statusReady waits for 200 from /status, of the private listener if there is
// one.
func statusReady(client *http.Client) func(context.Context, *process, <-chan struct{}, func() error) error {
	return func(ctx context.Context, p *process, ended <-chan struct{}, why func() error) error {
		url := p.privateURL
		if url == "" {
			url = p.url
		}
		return pollReady(ctx, client, url, ended, why)
	}
}

var _ io.Writer = (*logBuffer)(nil)
