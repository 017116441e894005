from django.urls import re_path

from guanjia.lines.views import answer

app_name = "lines"

urlpatterns = [re_path(r"\A(?P<slug>[^/]+)(?:/[\s\S]*)?\Z", answer, name="hosted_line")]
