package deploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mpinlab/sim/client"
)

// temporary tells of an error that a client may see while a server is down: the
// service was not there, or not whole. Whether what was asked for was done is
// not known then.
func temporary(err error) bool {
	for _, e := range []error{client.ErrUnreachable, client.ErrServer, client.ErrBusy, context.DeadlineExceeded} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// books are what the load was told, to be compared with what is there
// afterwards.
type books struct {
	mu sync.Mutex
	// registered was acknowledged to the end: it must be able to log in.
	registered []*client.Identity
	// wrong counts acknowledged wrong PINs by identity; attacked are those for
	// which there was any attempt with one, also without an answer.
	wrong    map[*client.Identity]int
	attacked map[*client.Identity]bool
	// faults are answers that must never come.
	faults []string
	right  int
	unsure int
}

func (b *books) fault(format string, a ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = append(b.faults, fmt.Sprintf(format, a...))
}

// TestKillsUnderLoad kills RPS, D-TAs and Redis at random moments under load
// and counts: no registration that was acknowledged is lost, no attempt that
// was acknowledged is forgotten or granted twice, one authOTT never gives two
// verdicts, and the service is whole again as soon as what was killed runs.
func TestKillsUnderLoad(t *testing.T) {
	needRedis(t)
	kills := times(5, 50)
	d := start(t, Config{Processes: true, Store: "redis", RPS: 2, DTAs: 3, Threshold: 2, LogLevel: "warn"})
	c := clientOf(t, d)
	b := &books{wrong: map[*client.Identity]int{}, attacked: map[*client.Identity]bool{}}
	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	for w := range 3 {
		load.Go(func() { b.work(ctx, c, w) })
	}
	defer func() { stop(); load.Wait() }()

	victims := append(append(d.ByRole(RoleRPS), d.ByRole(RoleDTA)...), d.ByRole(RoleRedis)...)
	killed := map[string]int{}
	for range kills {
		// Anywhere within the time that a few logins take.
		select {
		case <-time.After(time.Duration(rand.IntN(150)) * time.Millisecond):
		case <-ctx.Done():
		}
		n := victims[rand.IntN(len(victims))]
		if killed[string(n.Role())]*3 > kills { // every kind gets its turn
			n = victims[rand.IntN(len(victims))]
		}
		killed[string(n.Role())]++
		if err := n.Kill(); err != nil {
			t.Fatal(err)
		}
		select {
		case <-time.After(time.Duration(rand.IntN(100)) * time.Millisecond):
		case <-ctx.Done():
		}
		if err := n.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		// By itself, without anything else being touched.
		eventually(t, 2*time.Minute, func() error {
			id, err := enrol(t.Context(), c, fmt.Sprintf("user-%d@example.com", users.Add(1)), "1234")
			if err != nil {
				return err
			}
			_, err = c.Login(t.Context(), id, pinOf(t, "1234"), client.LoginOptions{})
			return err
		})
	}
	// On a busy machine the load may not have come far yet.
	eventually(t, 2*time.Minute, b.empty)
	stop()
	load.Wait()
	b.check(t, c)
	t.Logf("killed %v; acknowledged: %d registrations, %d right logins, %d wrong ones of %d identities; %d answers without a verdict",
		killed, len(b.registered), b.right, sum(b.wrong), len(b.wrong), b.unsure)
}

// work registers, logs in rightly and wrongly, and keeps the books.
func (b *books) work(ctx context.Context, c *client.Client, w int) {
	right, _ := client.NewPIN([]byte("1234"))
	for i := 0; ctx.Err() == nil; i++ {
		user := fmt.Sprintf("load-%d-%d@example.com", w, i)
		id, err := enrol(ctx, c, user, "1234")
		if err != nil {
			b.unknown(err)
			select { // while the service is down
			case <-time.After(5 * time.Millisecond):
			case <-ctx.Done():
			}
			continue
		}
		b.mu.Lock()
		b.registered = append(b.registered, id)
		b.mu.Unlock()
		for k := range 6 {
			if ctx.Err() != nil {
				return
			}
			digits := "1234"
			if k >= 3 && i%2 == 0 { // every second user is attacked at the end
				digits = fmt.Sprintf("%04d", 2000+k)
			}
			b.login(ctx, c, id, digits, right)
		}
	}
}

func (b *books) unknown(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !temporary(err) && !errors.Is(err, context.Canceled) && !errors.Is(err, client.ErrUnknownIdentity) && !errors.Is(err, client.ErrExpired) && !errors.Is(err, client.ErrRefused) {
		b.faults = append(b.faults, err.Error())
		return
	}
	b.unsure++
}

// login logs in once, and redeems the same authOTT twice at the same time.
func (b *books) login(ctx context.Context, c *client.Client, id *client.Identity, digits string, right *client.PIN) {
	pin := right
	if digits != "1234" {
		pin, _ = client.NewPIN([]byte(digits))
		b.mu.Lock()
		b.attacked[id] = true
		b.mu.Unlock()
	}
	p, err := c.Prove(ctx, id, pin, client.ProveOptions{})
	if err != nil {
		b.unknown(err)
		return
	}
	var verdicts [2]error
	var both sync.WaitGroup
	for i := range verdicts {
		both.Go(func() { _, verdicts[i] = c.Redeem(ctx, p.AuthOTT) })
	}
	both.Wait()
	told := 0
	for _, err := range verdicts {
		switch {
		case err == nil:
			told++
			if digits != "1234" {
				b.fault("%s got in with %s", id, digits)
			}
			b.mu.Lock()
			b.right++
			b.mu.Unlock()
		case errors.Is(err, client.ErrWrongPIN):
			told++
			if digits == "1234" {
				b.fault("%s was told that the right PIN is wrong", id)
			}
			b.mu.Lock()
			b.wrong[id]++
			b.mu.Unlock()
		case errors.Is(err, client.ErrBlocked):
			told++
			b.mu.Lock()
			innocent := !b.attacked[id]
			b.mu.Unlock()
			if innocent {
				b.fault("%s was blocked without a wrong PIN", id)
			}
		default:
			b.unknown(err)
		}
	}
	if told > 1 {
		b.fault("%s: %d verdicts on one authOTT: %v", id, told, verdicts)
	}
}

// empty is an error while there was no load of every kind.
func (b *books) empty() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.registered) == 0 || b.right == 0 || len(b.wrong) == 0 {
		return fmt.Errorf("there was no load: %d registrations, %d right, %d wrong", len(b.registered), b.right, len(b.wrong))
	}
	return nil
}

// check compares the books with the service.
func (b *books) check(t *testing.T, c *client.Client) {
	t.Helper()
	for _, f := range b.faults {
		t.Error(f)
	}
	list := b.registered
	for i, id := range list {
		if limit := times(40, len(list)); i%max(1, len(list)/limit) != 0 && !b.attacked[id] {
			continue // a sample in the short form
		}
		// As many more wrong ones as there can be: of the three that block, two
		// are told to be wrong, whatever was killed.
		if !b.attacked[id] {
			if _, err := c.Login(t.Context(), id, pinOf(t, "1234"), client.LoginOptions{}); err != nil {
				t.Errorf("%s was registered and cannot log in: %v", id, err)
			}
			continue
		}
		for k := 0; ; k++ {
			var err error
			eventually(t, 2*time.Minute, func() error {
				_, err = c.Login(t.Context(), id, pinOf(t, fmt.Sprintf("%04d", 3000+k)), client.LoginOptions{})
				if temporary(err) {
					// The instance that was killed holds an attempt until its lease
					// ends, and nobody is judged in its place.
					return err
				}
				return nil
			})
			if errors.Is(err, client.ErrBlocked) {
				break
			}
			if !errors.Is(err, client.ErrWrongPIN) || k > 3 {
				t.Errorf("%s: wrong PIN: %v", id, err)
				break
			}
			b.wrong[id]++
		}
		if b.wrong[id] > 2 {
			t.Errorf("%s: %d wrong PINs were told to be wrong before the block, not 2 at most: an attempt was lost or granted twice", id, b.wrong[id])
		}
	}
}

func sum(m map[*client.Identity]int) int {
	n := 0
	for _, v := range m {
		n += v
	}
	return n
}

// TestParallelGuesses: wrong PINs for one identity over three RPS instances, all
// at the same time: exactly the maximum number are judged, the rest are refused
// with 410 unjudged.
func TestParallelGuesses(t *testing.T) {
	needRedis(t)
	d := start(t, Config{Processes: true, Store: "redis", RPS: 3, LogLevel: "warn"})
	c := clientOf(t, d)
	id := mustEnrol(t, c)
	n := times(200, 1000)
	otts := make([]string, n)
	for i := range otts {
		p, err := c.Prove(t.Context(), id, pinOf(t, fmt.Sprintf("%04d", 2000+i)), client.ProveOptions{})
		if err != nil {
			t.Fatal(err)
		}
		otts[i] = p.AuthOTT
	}
	before := counter(t, d.ByRole(RoleRPS), `mpin_attempts_reserved_total`)
	var wrong, blocked, other atomic.Int64
	var all sync.WaitGroup
	gate := make(chan struct{})
	for _, ott := range otts {
		all.Go(func() {
			<-gate
			_, err := c.Redeem(t.Context(), ott)
			switch {
			case errors.Is(err, client.ErrWrongPIN):
				wrong.Add(1)
			case errors.Is(err, client.ErrBlocked):
				blocked.Add(1)
			default:
				other.Add(1)
				t.Errorf("neither wrong nor blocked: %v", err)
			}
		})
	}
	close(gate)
	all.Wait()
	if wrong.Load() != 2 || blocked.Load() != int64(n)-2 {
		t.Errorf("%d wrong, %d blocked, %d other of %d: not 2 wrong", wrong.Load(), blocked.Load(), other.Load(), n)
	}
	if judged := counter(t, d.ByRole(RoleRPS), `mpin_attempts_reserved_total`) - before; judged != 3 {
		t.Errorf("%d guesses were judged, not 3", judged)
	}
	mustLogin(t, c, id, "1234", client.ErrBlocked)
}

// TestConcurrentRightLogins: 50 logins of one identity at the same time with
// the right PIN all succeed; a reservation waits, it does not refuse.
func TestConcurrentRightLogins(t *testing.T) {
	needRedis(t)
	d := start(t, Config{Processes: true, Store: "redis", RPS: 3, LogLevel: "warn"})
	c := clientOf(t, d)
	id := mustEnrol(t, c)
	var otts []string
	for range 50 {
		p, err := c.Prove(t.Context(), id, pinOf(t, "1234"), client.ProveOptions{})
		if err != nil {
			t.Fatal(err)
		}
		otts = append(otts, p.AuthOTT)
	}
	var all sync.WaitGroup
	for _, ott := range otts {
		all.Go(func() {
			if _, err := c.Redeem(t.Context(), ott); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	mustLogin(t, c, id, "1234", nil)
}

// TestLogsHoldNoSecrets looks through what every node has logged, at the
// lowest level, for everything that a log must not hold.
func TestLogsHoldNoSecrets(t *testing.T) {
	var mu sync.Mutex
	var all bytes.Buffer
	secrets := map[string]string{}
	tap := &tap{}
	d := start(t, Config{LogLevel: "debug", VerifyByMail: "mail", Wrap: tap.wrap, Log: writerFunc(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return all.Write(p)
	})})
	c := clientOf(t, d)
	id, err := c.Register(t.Context(), client.Registration{UserID: "secret-user@mail.example"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.ActivateByOutbox(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	secrets["regOTT"] = id.RegOTT
	if err := finish(t.Context(), c, id, "1234"); err != nil {
		t.Fatal(err)
	}
	s, err := c.Login(t.Context(), id, pinOf(t, "1234"), client.LoginOptions{})
	if err != nil {
		t.Fatal(err)
	}
	mustLogin(t, c, id, "4711", client.ErrWrongPIN)
	for range 3 {
		_, err = c.Login(t.Context(), id, pinOf(t, "4712"), client.LoginOptions{})
	}
	if !errors.Is(err, client.ErrBlocked) {
		t.Fatal(err)
	}
	cred, err := d.vault.credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	secrets["application's key"], secrets["service token"], secrets["admin token"] = cred.AppKey, cred.ServiceToken, cred.AdminToken
	secrets["session"] = s.Cookies[0].Value
	secrets["log-out data"] = string(s.LogoutData)
	secrets["token"] = fmt.Sprintf("%x", id.Token)
	secrets["user"], secrets["identity"] = "secret-user", id.MpinID
	for _, r := range tap.all() {
		for _, name := range []string{"authOTT", "activateKey", "clientSecretShare", "clientSecret", "timePermit", "V", "signature", "serverSecret"} {
			for i, v := range jsonStrings(r.body+r.answer, name) {
				secrets[fmt.Sprintf("%s %d of %s", name, i, r.uri)] = v
			}
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if all.Len() == 0 {
		t.Fatal("nothing was logged")
	}
	for name, value := range secrets {
		if len(value) < 8 {
			t.Errorf("%s is %q", name, value)
		} else if i := bytes.Index(all.Bytes(), []byte(value)); i >= 0 {
			t.Errorf("%s was logged: …%s", name, all.Bytes()[max(0, i-200):i])
		}
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
