// Says goodbye for a page of another host that is going away, which calls sendCloseFrame.
document.domain = location.hash.slice(1);

function sendCloseFrame(url, packets) {
  var xhr = new XMLHttpRequest();
  xhr.open("POST", url, false); // the page waits, or it would be gone before
  xhr.send(packets);
}
