// Logins at a rate that rises, with a few wrong PINs, and the promises that they
// must keep. MPIN_URL names the deployment: what `mpin serve` prints as rpa.
//
//   mpin serve &
//   bin/mpin-k6 run -e MPIN_URL=http://127.0.0.1:8080 examples/login.js
import exec from 'k6/execution';
import mpin from 'k6/x/mpin';

const service = mpin.connect(__ENV.MPIN_URL || 'http://127.0.0.1:8080');
const users = Number(__ENV.MPIN_USERS || 50);
const rate = Number(__ENV.MPIN_RATE || 20); // logins a second at the end
const duration = __ENV.MPIN_DURATION || '10s';
const wrong = Number(__ENV.MPIN_WRONG || 0.02); // share of wrong PINs

export const options = {
  scenarios: {
    logins: {
      executor: 'ramping-arrival-rate',
      startRate: Math.max(1, Math.round(rate / 4)),
      timeUnit: '1s',
      preAllocatedVUs: 40,
      maxVUs: 400,
      stages: [{ target: rate, duration: duration }],
      gracefulStop: '10s',
    },
  },
  summaryTrendStats: ['avg', 'min', 'med', 'p(90)', 'p(95)', 'p(99)', 'max'],
  thresholds: {
    mpin_correct: ['rate==1'],
    mpin_login_duration: [`p(99)<${__ENV.MPIN_P99 || 1000}`],
    dropped_iterations: ['count==0'],
  },
  setupTimeout: '5m',
};

// pin is a user's: not all have the same.
const pin = (i) => String(1000 + (i * 7919) % 9000);

export function setup() {
  const list = [];
  for (let i = 0; i < users; i++) {
    list.push(service.register(`k6-${i}@example.com`, pin(i)));
  }
  return list;
}

export default function (list) {
  // The number is unique over all execution segments, so that everybody's users
  // come in turn.
  const n = exec.scenario.iterationInTest;
  const i = n % users;
  // Every so many-th login has a typing error, and the same user's next is right
  // again, so that nobody is blocked.
  if (wrong > 0 && n % Math.round(1 / wrong) === Math.round(1 / wrong) - 1) {
    service.login(list[i], String(1000 + (Number(pin(i)) - 999) % 9000), { expect: 'refused' });
    return;
  }
  service.login(list[i], pin(i));
}
