# SPDX-License-Identifier: MIT
"""Event lines of 1,000 artifacts: many_calls.py CALLS RATE. CALLS of the last minutes at once,
then RATE a second, for two minutes."""
import datetime
import sys
import time

LINE = ('{"event_type":"%s","tick":%d,"timestamp":"%s","invoker_id":"agent_%d","artifact_id":"artifact_%d",'
        '"method":"call","duration_ms":%.6f,%s,"sequence":%d,"call":%d,"pid":1,"tid":1,"depth":0,'
        '"probe":"p","session":"many"}\n')


def write(number, at):
    when = datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    failed = number % 13 == 0
    tail = '"error_type":"timeout","error_message":"no answer"' if failed else '"result_type":"int"'
    sys.stdout.write(LINE % ("invoke_failure" if failed else "invoke_success", number // 1000, when, number * 7 % 97,
                             number * 31 % 1000, 0.01 + number % 91 / 10, tail, number, number))


def main():
    calls, rate = int(sys.argv[1]), int(sys.argv[2])
    begun = time.time()
    for i in range(calls):
        write(i + 1, begun - 300 + 300 * i / calls)
    for step in range(1200):
        for i in range(rate // 10):
            write(calls + step * (rate // 10) + i + 1, time.time())
        sys.stdout.flush()
        time.sleep(0.1)


main()
