// Finds Orbited of the page around this frame. A page of another port or host can be reached
// when both have given up the same part of their names, see document.domain; the longest
// part that will do is taken.
function reach() {
  function found() {
    try {
      return parent.Orbited;
    } catch (denied) {
      return undefined;
    }
  }
  var labels = document.domain.split(".");
  var orbited = found();
  for (var i = 0; !orbited && i < Math.max(labels.length - 1, 1); i++) {
    try {
      document.domain = labels.slice(i).join(".");
      orbited = found();
    } catch (refused) {
      break; // what is left is nobody's name
    }
  }
  if (!orbited) throw new Error("the page around this frame is not within reach: it must set document.domain too");
  return orbited;
}

// The parameters of this frame's address.
function parameters() {
  var all = {};
  location.search.replace(/[?&]([^=&]*)=([^&]*)/g, function (whole, name, value) {
    all[name] = value;
  });
  return all;
}
