import "../styles/webchat.css";
