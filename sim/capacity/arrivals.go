package capacity

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Profile is the rate of arrivals over time: straight lines between points at
// equal distances, from the beginning on. It repeats itself after its end.
type Profile struct {
	Step  time.Duration
	Rates []float64 // a second, at 0, Step, 2·Step …; the last is at the end
}

// ErrProfile: rates that are none.
var ErrProfile = errors.New("not a profile of arrivals")

// Flat is the same rate all the time.
func Flat(rate float64) Profile { return Profile{time.Hour, []float64{rate, rate}} }

// length is the time after which the profile repeats itself.
func (p *Profile) length() time.Duration { return p.Step * time.Duration(len(p.Rates)-1) }

func (p *Profile) check() error {
	if p.Step <= 0 || len(p.Rates) < 2 || len(p.Rates) > 1<<20 {
		return fmt.Errorf("%w: a step and two rates at least", ErrProfile)
	}
	sum := 0.0
	for _, r := range p.Rates {
		if r < 0 || math.IsNaN(r) || r > 1e9 {
			return fmt.Errorf("%w: %v a second", ErrProfile, r)
		}
		sum += r
	}
	if sum == 0 {
		return fmt.Errorf("%w: nobody comes", ErrProfile)
	}
	return nil
}

// At is the rate at a time.
func (p *Profile) At(t time.Duration) float64 {
	t = (t%p.length() + p.length()) % p.length()
	i := int(t / p.Step)
	f := float64(t-time.Duration(i)*p.Step) / float64(p.Step)
	return p.Rates[i] + f*(p.Rates[i+1]-p.Rates[i])
}

// Mean and Peak are the mean and the greatest rate, and PeakAt when that is.
func (p *Profile) Mean() float64 {
	sum := 0.0
	for i := 1; i < len(p.Rates); i++ {
		sum += (p.Rates[i-1] + p.Rates[i]) / 2
	}
	return sum / float64(len(p.Rates)-1)
}

// Peak is the greatest rate and when it is.
func (p *Profile) Peak() (rate float64, at time.Duration) {
	for i, r := range p.Rates {
		if r > rate {
			rate, at = r, time.Duration(i)*p.Step
		}
	}
	return rate, at
}

// Region is a part of the population with a clock of its own.
type Region struct {
	Name   string  `json:"name"`
	Weight float64 `json:"weight"`
	// Offset of its clocks from UTC, in hours.
	Offset float64 `json:"offset"`
}

// officeDay is logins by local hour, from midnight on, relative to each other: a
// peak at nine, a smaller one after lunch. It is the curve of the load scenarios
// (sim/load.Day), by hand after the shape of published office traffic, and no
// measurement.
var officeDay = [24]float64{2, 1, 1, 1, 2, 5, 15, 45, 90, 100, 70, 55, 45, 60, 58, 50, 45, 40, 28, 20, 16, 12, 8, 4}

// Daily is the profile of a day in UTC with a given mean rate. Every region
// follows an office day by its own clock. peak > 0 stretches the curve about its
// mean so that its greatest rate is peak times the mean; where that would make
// the quiet hours negative they are empty, and the rest is stretched further.
// Without regions the profile is flat, or with a peak one region's at UTC.
// Errors: ErrProfile for a peak below 1 or above what the curve can be stretched
// to (24, all in one hour), and for weights that are none.
func Daily(mean, peak float64, regions []Region) (Profile, error) {
	const perHour = 4
	p := Profile{Step: time.Hour / perHour, Rates: make([]float64, 24*perHour+1)}
	if len(regions) == 0 {
		if peak == 0 || peak == 1 {
			return Flat(mean), nil
		}
		regions = []Region{{Weight: 1}}
	}
	for _, r := range regions {
		if r.Weight < 0 || math.IsNaN(r.Weight) || math.IsInf(r.Weight, 0) || math.Abs(r.Offset) > 14 {
			return p, fmt.Errorf("%w: region %q: weight %v, offset %v h", ErrProfile, r.Name, r.Weight, r.Offset)
		}
		for i := range p.Rates {
			h := math.Mod(float64(i)/perHour+r.Offset+48, 24)
			k := int(h)
			f := h - float64(k)
			p.Rates[i] += r.Weight * (officeDay[k]*(1-f) + officeDay[(k+1)%24]*f)
		}
	}
	if m := p.Mean(); m > 0 {
		p.scale(1 / m)
	} else {
		return p, fmt.Errorf("%w: all weights are zero", ErrProfile)
	}
	if peak != 0 {
		if err := p.stretch(peak); err != nil {
			return p, err
		}
	}
	p.scale(mean)
	return p, p.check()
}

func (p *Profile) scale(f float64) {
	for i := range p.Rates {
		p.Rates[i] *= f
	}
}

// stretch changes a profile of mean 1 so that its peak is the given one: r is
// raised to a power, which keeps it positive and its order.
func (p *Profile) stretch(peak float64) error {
	if !(peak >= 1) || peak > 24 {
		return fmt.Errorf("%w: a peak of %v times the mean; 1 to 24 is possible", ErrProfile, peak)
	}
	from := append([]float64(nil), p.Rates...)
	power := func(e float64) float64 {
		for i, r := range from {
			p.Rates[i] = math.Pow(r, e)
		}
		p.scale(1 / p.Mean())
		top, _ := p.Peak()
		return top
	}
	lo, hi := 0.0, 1.0
	for power(hi) < peak {
		if hi *= 2; hi > 1024 {
			return fmt.Errorf("%w: these regions together cannot peak at %v times the mean", ErrProfile, peak)
		}
	}
	for range 60 {
		if mid := (lo + hi) / 2; power(mid) < peak {
			lo = mid
		} else {
			hi = mid
		}
	}
	power(hi)
	return nil
}

// since is the expected number of arrivals from a boundary to the time t, for
// boundaries at whole periods.
func (p *Profile) since(t, period time.Duration) float64 {
	t = (t%period + period) % period
	whole := int(t / p.length())
	sum := float64(whole) * p.Mean() * p.length().Seconds()
	rest := t - time.Duration(whole)*p.length()
	for i := 1; i < len(p.Rates) && rest > 0; i++ {
		d := min(rest, p.Step)
		f := float64(d) / float64(p.Step)
		end := p.Rates[i-1] + f*(p.Rates[i]-p.Rates[i-1])
		sum += d.Seconds() * (p.Rates[i-1] + end) / 2
		rest -= d
	}
	return sum
}

// arrivals draws a Poisson process with a profile's rate, from a time on.
type arrivals struct {
	profile *Profile
	random  *rand.Rand
	step    float64 // ns
	i       int     // the piece of the profile
	begin   float64 // ns, of the piece
	at      float64 // ns, the last arrival
}

func newArrivals(p *Profile, from time.Duration, r *rand.Rand) *arrivals {
	n := len(p.Rates) - 1
	k := int(from / p.Step)
	return &arrivals{profile: p, random: r, step: float64(p.Step), i: k % n, begin: float64(k) * float64(p.Step), at: float64(from)}
}

// next is the time of the next arrival in ns: a unit exponential step of the
// expectation, which within a piece of the profile is a quadratic.
func (a *arrivals) next() int64 {
	left := a.random.ExpFloat64()
	for {
		r0, r1 := a.profile.Rates[a.i]*1e-9, a.profile.Rates[a.i+1]*1e-9
		slope := (r1 - r0) / a.step
		now := r0 + slope*(a.at-a.begin)
		rest := a.begin + a.step - a.at
		if expected := rest * (now + r1) / 2; left <= expected && expected > 0 {
			// The root's form that does not cancel.
			a.at += 2 * left / (now + math.Sqrt(max(0, now*now+2*slope*left)))
			return int64(a.at)
		} else {
			left -= expected
		}
		a.begin += a.step
		a.at = a.begin
		if a.i++; a.i == len(a.profile.Rates)-1 {
			a.i = 0
		}
	}
}
