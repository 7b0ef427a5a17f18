"""One thing that is measured of the service's own Python SDK, so many times: prints seconds."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

scenario, base_url, count = sys.argv[1], sys.argv[2], int(sys.argv[3])

from pollination_sdk import ApiClient, AuthenticationApi, Configuration, Token  # noqa: E402

if scenario == "import":
    sys.exit()

configuration = Configuration()
configuration.host = base_url
configuration.connection_pool_maxsize = 64
api = AuthenticationApi(ApiClient(configuration))
configuration.access_token = api.login(Token(id="an-id", secret="a-secret")).access_token

if scenario == "first-token":
    sys.exit()


def call(_number):
    assert api.get_api_token().id


def rate(workers):
    with ThreadPoolExecutor(workers) as pool:
        # The connections are there before the clock runs.
        list(pool.map(call, range(2 * workers)))
        started = time.perf_counter()
        list(pool.map(call, range(count)))
        return count / (time.perf_counter() - started)


print(rate({"call": 1, "workers": 64}[scenario]))
