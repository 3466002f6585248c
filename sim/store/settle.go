package store

import "context"

func (a *attempts) Settle(ctx context.Context, r *Reservation, o Outcome) (int, error) {
	if err := checkSettle(ctx, r, o); err != nil {
		return 0, err
	}
	part := &a.parts[shardOf(r.ID)]
	part.mu.Lock()
	defer part.mu.Unlock()
	if part.closed {
		return 0, ErrClosed
	}
	a.lapse(part)
	l := part.held[r.token]
	if l == nil || l.who.id != r.ID {
		return 0, ErrLeaseEnded
	}
	who, n := l.who, l.who.failures
	switch o {
	case Passed:
		n = 0
	case Failed:
		n++
	}
	done, err := a.save(part, who, n)
	if err != nil {
		return 0, err
	}
	delete(part.held, l.token)
	part.leases.drop(l)
	who.held--
	a.room.add(-1, -attemptSize(who.id))
	return n, a.changed(ctx, part, who, done)
}

// save has the ledger keep n where it has another count.
func (a *attempts) save(part *attemptPart, who *identity, n int) (<-chan error, error) {
	if n == who.failures {
		return nil, nil
	}
	who.writing++
	done, err := a.ledger.save(who.id, n, func() {
		part.mu.Lock()
		defer part.mu.Unlock()
		who.writing--
		part.drop(who)
	})
	if done == nil || err != nil {
		who.writing-- // nothing is under way
	}
	if err == nil {
		who.failures = n
	}
	return done, err
}

// changed lets in those who need wait no longer, and waits, with nothing
// locked, until the ledger has what it was given.
func (a *attempts) changed(ctx context.Context, part *attemptPart, who *identity, done <-chan error) error {
	a.admit(part, who)
	part.drop(who)
	if done == nil {
		return nil
	}
	part.mu.Unlock()
	defer part.mu.Lock()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *attempts) Failures(ctx context.Context, id string) (int, error) {
	if err := checkID(ctx, id); err != nil {
		return 0, err
	}
	part := &a.parts[shardOf(id)]
	part.mu.Lock()
	defer part.mu.Unlock()
	if part.closed {
		return 0, ErrClosed
	}
	if who := part.ids[id]; who != nil {
		return who.failures, nil
	}
	return a.ledger.load(id)
}

func (a *attempts) Clear(ctx context.Context, id string) error {
	if err := checkID(ctx, id); err != nil {
		return err
	}
	part := &a.parts[shardOf(id)]
	part.mu.Lock()
	defer part.mu.Unlock()
	if part.closed {
		return ErrClosed
	}
	a.lapse(part)
	who := part.ids[id]
	if who == nil {
		n, err := a.ledger.load(id)
		if err != nil {
			return err
		}
		who = &identity{id: id, failures: n}
		part.ids[id] = who
	}
	done, err := a.save(part, who, 0)
	if err != nil {
		part.drop(who)
		return err
	}
	return a.changed(ctx, part, who, done)
}
