// What a midnight does to D-TAs: everybody fetches a permit. The rate is constant,
// so that runs can be compared and execution segments give exact parts of it.
import exec from 'k6/execution';
import mpin from 'k6/x/mpin';

const service = mpin.connect(__ENV.MPIN_URL || 'http://127.0.0.1:8080');
const users = Number(__ENV.MPIN_USERS || 20);

export const options = {
  scenarios: {
    permits: {
      executor: 'constant-arrival-rate',
      rate: Number(__ENV.MPIN_RATE || 50),
      timeUnit: '1s',
      duration: __ENV.MPIN_DURATION || '10s',
      preAllocatedVUs: 20,
      maxVUs: 200,
    },
  },
  thresholds: {
    mpin_correct: ['rate==1'],
    mpin_permit_duration: ['p(99)<1000'],
  },
};

export function setup() {
  return Array.from({ length: users }, (_, i) => service.register(`night-${i}@example.com`, '1234'));
}

export default function (list) {
  service.permit(list[exec.scenario.iterationInTest % users]);
}
