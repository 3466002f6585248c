// Logins at one rate of users who have their permit, as our own generator makes
// them with a constant stage: for comparing the two, and for runs in segments.
import exec from 'k6/execution';
import mpin from 'k6/x/mpin';

const service = mpin.connect(__ENV.MPIN_URL || 'http://127.0.0.1:8080');
const users = Number(__ENV.MPIN_USERS || 40);

export const options = {
  scenarios: {
    logins: {
      executor: 'constant-arrival-rate',
      rate: Number(__ENV.MPIN_RATE || 30),
      timeUnit: '1s',
      duration: __ENV.MPIN_DURATION || '20s',
      preAllocatedVUs: 40,
      maxVUs: 400,
    },
  },
  thresholds: { mpin_correct: ['rate==1'], dropped_iterations: ['count==0'] },
  setupTimeout: '5m',
};

export function setup() {
  const list = [];
  for (let i = 0; i < users; i++) {
    list.push(service.register(`steady-${i}@example.com`, '1234'));
    service.login(list[i], '1234'); // the permit of the day stays in this process
  }
  return list;
}

export default function (list) {
  service.login(list[exec.scenario.iterationInTest % users], '1234');
}
