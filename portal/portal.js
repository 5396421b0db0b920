const query = new URLSearchParams(location.search);
const show = (id, text) => { document.getElementById(id).textContent = text; };
if (query.has("session_id")) {
  document.title = "Payment received";
  show("title", "Payment received");
  show("message", "Your license is being generated and will be listed with your domain in a moment.");
  show("session", query.get("session_id"));
} else if (query.has("canceled")) {
  show("title", "Nothing was charged");
  show("message", "The checkout was left before payment. You can start it again at any time.");
}
