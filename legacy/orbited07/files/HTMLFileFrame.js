// Runs in the page that carries an htmlfile stream, which calls e for packets and h as a
// heartbeat.
var e, h;

(function () {
  var asked = parameters();
  var orbited = reach();
  var stream = orbited.singleton.HTMLFile.instances[asked.frameID];
  var ack = asked.ack || "0";
  var timer;

  function again() {
    clearTimeout(timer);
    var reload = (parseInt(asked.reload, 10) || 0) + 1;
    var url = location.pathname + "?ack=" + ack + "&frameID=" + asked.frameID + "&reload=" + reload;
    stream.restartingStream(url);
    location.href = url;
  }

  h = function () {
    clearTimeout(timer);
    timer = setTimeout(again, orbited.settings.HEARTBEAT_TIMEOUT);
  };

  e = function (packets) {
    h();
    for (var i = 0; i < packets.length; i++) {
      ack = packets[i][0];
      stream.receive(packets[i][0], packets[i][1], packets[i][2]);
    }
  };

  window.onload = again; // the stream has come to its end
  h();
  stream.streamStarted();
})();
