// Makes requests to the proxy for a page of another port or host, one after the other.
(function () {
  var bridge = reach().singleton.XSDR;
  var id = parseInt(location.hash.slice(1), 10);

  function next() {
    var request = bridge.queues[id].shift();
    if (request) run(request[0], request[1], request[2], request[3]);
    else setTimeout(next, 20);
  }

  function run(method, url, body, headers) {
    var xhr = new XMLHttpRequest();
    var told = 0; // characters of the answer
    xhr.onreadystatechange = function () {
      var state = { readyState: xhr.readyState, status: xhr.status, responseText: xhr.responseText.slice(told) };
      told = xhr.responseText.length;
      bridge.receiveCbs[id](["readystatechange", state]);
      if (state.readyState === 4) next();
    };
    xhr.open(method, url, true);
    for (var name in headers) xhr.setRequestHeader(name, headers[name]);
    xhr.send(body);
  }

  bridge.receiveCbs[id](["initialized"]);
  next();
})();
