package proxy

import (
	"context"
	"log/slog"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"mpinlab/protocol"
	"mpinlab/sim/service"
	"mpinlab/sim/wire"
)

// publisher puts permits into the storage, one identity after another and
// beside the requests.
type publisher struct {
	s     *Server
	known *lru.Cache[identity, protocol.Date] // the last day published
	queue chan identity
	stop  context.CancelFunc
	ended sync.WaitGroup

	published, failed, dropped *service.Counter
}

// identity is all that the proxy knows of one.
type identity struct{ appID, hash string }

// waiting is how many identities may wait for their permits to be published;
// the others are found at the next look.
const waiting = 4096

func newPublisher(s *Server) (*publisher, error) {
	known, err := lru.New[identity, protocol.Date](s.c.MaxIdentities)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	r := s.service.Registry()
	p := &publisher{s: s, known: known, queue: make(chan identity, waiting), stop: stop,
		published: r.Counter("mpin_proxy_published_total", "Permits put into the storage."),
		failed:    r.Counter("mpin_proxy_publish_failures_total", "Identities whose permits could not be published; tried again."),
		dropped:   r.Counter("mpin_proxy_publish_delayed_total", "Identities that have to wait for the next look."),
	}
	p.ended.Go(func() { p.run(ctx) })
	return p, nil
}

func (p *publisher) close() {
	p.stop()
	p.ended.Wait()
}

// add is told of an identity that was issued to. It does not wait.
func (p *publisher) add(appID, hash string) {
	if p == nil {
		return
	}
	k := identity{appID, hash}
	if through, ok := p.known.Get(k); ok && through >= p.want() {
		return
	}
	p.known.PeekOrAdd(k, 0)
	select {
	case p.queue <- k:
	default:
		p.dropped.Inc()
	}
}

// want returns the last day that permits should be published for.
func (p *publisher) want() protocol.Date {
	today, err := wire.Today(p.s.service.Now())
	if err != nil {
		return 0
	}
	return today + protocol.Date(p.s.c.Ahead)
}

func (p *publisher) run(ctx context.Context) {
	tick := time.NewTicker(p.s.c.Publish)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case k := <-p.queue:
			p.publish(ctx, k)
		case <-tick.C:
			for _, k := range p.known.Keys() {
				// What fails for one fails for all: the next look is soon.
				if !p.publish(ctx, k) {
					break
				}
			}
		}
	}
}

// publish puts an identity's permits of today and the days ahead into the
// storage, for the set that is meant where none is named. It reports whether
// that worked, or there is nothing to do.
func (p *publisher) publish(ctx context.Context, k identity) bool {
	want := p.want()
	if through, ok := p.known.Peek(k); !ok || through >= want {
		return true
	}
	app, err := p.s.application(ctx, k.appID)
	if err == nil && app.quorum == nil {
		p.known.Remove(k) // the application is gone
		return true
	}
	var days int
	if err == nil {
		days, err = p.put(ctx, app, k.hash)
	}
	if err != nil {
		if ctx.Err() == nil {
			p.failed.Inc()
			p.s.service.Logger().LogAttrs(ctx, slog.LevelWarn, "not published", slog.String("app", k.appID),
				slog.String("idHash", k.hash[:8]), slog.String("cause", err.Error()))
		}
		return false
	}
	p.published.Add(uint64(days))
	p.known.Add(k, want)
	return true
}

func (p *publisher) put(ctx context.Context, app *entry, hash string) (days int, err error) {
	list, err := app.quorum.PermitsRest(ctx, nil, hash, p.s.c.Ahead+1)
	if err != nil {
		return 0, err
	}
	for _, h := range list {
		if err := p.s.c.Storage.PutPermit(ctx, app.id, h.Date, wire.StorageID(hash, nil), h.Share); err != nil {
			return 0, err
		}
	}
	return len(list), nil
}
