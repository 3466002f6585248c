// Package mpin is the k6 module k6/x/mpin: users of an M-Pin deployment, for load
// from as many machines as k6 runs on. It is package client with its times as
// k6's metrics.
//
//	import mpin from 'k6/x/mpin';
//	const service = mpin.connect('https://login.example.com', { timeout: '10s' });
//	export function setup() { return [service.register('a@example.com', '1234')]; }
//	export default function (users) { service.login(users[0], '1234'); }
//
// # Functions
//
//   - connect(url, options?) names a deployment; nothing is sent before the first
//     call. Options: timeout (of a request, "10s"), websocket (false), suite.
//   - register(user, pin) registers a user who is activated at once, and returns
//     the identity: a text with the user's token, a secret, for login and permit.
//     It can be given from setup() to all virtual users.
//   - login(identity, pin, options?) logs in, redeeming at the relying party.
//     With { expect: 'refused' } it is a wrong PIN's refusal that is correct.
//   - permit(identity) fetches a time permit, as the first login of a day does.
//
// login and permit return { ok, outcome, detail }. Only mistakes of the script
// throw; a failure of the service is an outcome, and register's throws, since
// nothing can go on without it.
//
// # Metrics
//
// Trends in ms: mpin_register_duration, mpin_permit_duration,
// mpin_pass1_duration, mpin_pass2_duration, mpin_redeem_duration and
// mpin_login_duration, which is the whole. Those of requests are of answered
// requests only. mpin_outcomes counts by the tags operation and outcome, which is
// accepted, refused, blocked, busy, failed, unreachable or timeout. The rate
// mpin_correct is of operations that came out as expected. Durations count from
// the call of login, permit or register, which an arrival-rate executor's iteration
// comes to on time unless dropped_iterations says otherwise; reading the settings of
// the deployment, once in each VU, is not in them.
package mpin

import (
	"fmt"
	"time"

	"github.com/grafana/sobek"

	"go.k6.io/k6/js/common"
	"go.k6.io/k6/js/modules"
	"go.k6.io/k6/metrics"
)

func init() { modules.Register("k6/x/mpin", &root{}) }

// root is the module of the whole process; VUs have instances.
type root struct{}

type instance struct {
	vu      modules.VU
	metrics *instruments
}

// instruments are the metrics, the same ones for all VUs.
type instruments struct {
	register, permit, pass1, pass2, redeem, login *metrics.Metric
	outcomes, correct                             *metrics.Metric
}

var (
	_ modules.Module   = (*root)(nil)
	_ modules.Instance = (*instance)(nil)
)

// NewModuleInstance is called once for each VU.
func (*root) NewModuleInstance(vu modules.VU) modules.Instance {
	m, err := newInstruments(vu.InitEnv().Registry)
	if err != nil {
		common.Throw(vu.Runtime(), err)
	}
	return &instance{vu, m}
}

func newInstruments(r *metrics.Registry) (*instruments, error) {
	m := &instruments{}
	for _, t := range []struct {
		name string
		to   **metrics.Metric
	}{
		{"register", &m.register}, {"permit", &m.permit}, {"pass1", &m.pass1}, {"pass2", &m.pass2}, {"redeem", &m.redeem}, {"login", &m.login},
	} {
		var err error
		if *t.to, err = r.NewMetric("mpin_"+t.name+"_duration", metrics.Trend, metrics.Time); err != nil {
			return nil, err
		}
	}
	var err error
	if m.outcomes, err = r.NewMetric("mpin_outcomes", metrics.Counter); err != nil {
		return nil, err
	}
	m.correct, err = r.NewMetric("mpin_correct", metrics.Rate)
	return m, err
}

// Exports are what scripts see.
func (i *instance) Exports() modules.Exports {
	return modules.Exports{Default: map[string]any{"connect": i.connect}, Named: map[string]any{"connect": i.connect}}
}

// options are connect's.
type options struct {
	Timeout   string `js:"timeout"`
	WebSocket bool   `js:"websocket"`
	Suite     string `js:"suite"`
}

func (i *instance) connect(url string, given sobek.Value) *sobek.Object {
	rt := i.vu.Runtime()
	var o options
	if given != nil && !sobek.IsUndefined(given) && !sobek.IsNull(given) {
		if err := rt.ExportTo(given, &o); err != nil {
			common.Throw(rt, fmt.Errorf("connect: options: %w", err))
		}
	}
	timeout := 10 * time.Second
	if o.Timeout != "" {
		var err error
		if timeout, err = time.ParseDuration(o.Timeout); err != nil || timeout <= 0 {
			common.Throw(rt, fmt.Errorf("connect: timeout %q is no duration, such as \"10s\"", o.Timeout))
		}
	}
	s := &service{instance: i, url: url, timeout: timeout, options: o}
	object := rt.NewObject()
	for name, f := range map[string]any{"register": s.register, "login": s.login, "permit": s.permit} {
		if err := object.Set(name, f); err != nil {
			common.Throw(rt, err)
		}
	}
	return object
}
